// The learners side by side: who serves, who is about to.

import type { Standing } from "../api";
import { h, keyed, mark, write } from "../dom";
import { bytes, count, figure, percent } from "../format";
import { glyph } from "../glyph";
import type { State, Store } from "../store";
import { lineOf } from "./loss";
import type { Ask } from "./ask";

const HEADS = ["Learner", "Role", "Since", "Loss", "Best", "Drifts", "Verdict", "Evidence", "Size", ""];
const VERDICT = { stable: "stable", warning: "warning", drift: "drift" } as const;

export function learners(store: Store, ask: Ask): HTMLElement {
  const body = h("tbody", { role: "rowgroup" });
  const head = h(
    "tr",
    { role: "row" },
    ...HEADS.map((text) =>
      h("th", { scope: "col", role: "columnheader" }, text === "" ? h("span", { class: "sr" }, "Actions") : text),
    ),
  );
  store.subscribe((state) => {
    const text = state.task === "classification" ? (v: number | null | undefined) => percent(v) : figure;
    keyed(
      body,
      state.model?.scores ?? [],
      (x) => x.learner,
      (x) => row(x, ask),
      (element, x) => update(element, x, text, serves(state, x)),
    );
  });
  return h(
    "section",
    { class: "card", "aria-labelledby": "learners-title" },
    h("h2", { id: "learners-title" }, "Learners"),
    h(
      "p",
      { class: "hint" },
      "A challenger is promoted when the evidence that it is better fills its bar. Loss over the last 1,000 labels.",
    ),
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table of learners" },
      h("table", { class: "learners rows", role: "table" }, h("thead", { role: "rowgroup" }, head), body),
    ),
  );
}

/** A cell that names its column where there is no room for one. */
const cell = (column: number, ...children: Node[]) =>
  h("td", { role: "cell", "data-label": HEADS[column] }, ...children);

function row(standing: Standing, ask: Ask): HTMLTableRowElement {
  const key = h("span", { class: "key", "aria-hidden": "true" });
  key.style.setProperty("--c", `var(${lineOf(standing.learner).color})`);
  const bar = h("span", { class: "evidence" }, h("span", { class: "fill" }));
  const verdict = h("span", { class: "verdict" });
  const promote = h(
    "button",
    { type: "button", class: "small", onclick: () => ask({ promote: { learner: standing.learner } }) },
    "Promote",
  );
  promote.setAttribute("aria-label", `Promote ${standing.learner}`);
  return h(
    "tr",
    { role: "row" },
    h(
      "th",
      { scope: "row", role: "rowheader" },
      key,
      standing.learner,
      h("span", { class: "chip", hidden: true }, "serves"),
    ),
    ...[1, 2, 3, 4, 5].map((i) => cell(i)),
    cell(6, verdict),
    cell(7, h("span", {}, bar, h("span", { class: "evidence-text" }))),
    cell(8),
    cell(9, promote),
  );
}

/** The champion serves, unless a version is pinned. */
const serves = ({ model }: State, x: Standing) =>
  x.role === "champion" && model?.live !== undefined && "follow" in model.live;

function update(
  element: HTMLTableRowElement,
  x: Standing,
  text: (v: number | null | undefined) => string,
  serves: boolean,
): void {
  const cells = element.cells;
  const put = (i: number, value: string) => write(cells[i]!, value);
  (cells[0]!.lastElementChild as HTMLElement).hidden = !serves;
  put(1, x.role);
  put(2, `event ${count(x.since)}`);
  put(3, text(x.rolling_loss));
  put(4, text(x.best_loss));
  put(5, count(x.drifts));
  const verdict = cells[6]!.firstElementChild!;
  if (verdict.getAttribute("data-verdict") !== x.verdict) {
    verdict.replaceChildren(glyph(VERDICT[x.verdict]), x.verdict);
    mark(verdict, "data-verdict", x.verdict);
  }
  const has = x.evidence !== null && x.evidence_needed !== null && x.evidence_needed > 0;
  const share = has ? Math.min(Math.max(x.evidence!.log_e / x.evidence_needed!, 0), 1) : 0;
  const [bar, figures] = cells[7]!.firstElementChild!.children as unknown as [HTMLElement, HTMLElement];
  bar.hidden = !has;
  (bar.firstElementChild as HTMLElement).style.width = `${(share * 100).toFixed(1)}%`;
  write(figures, has ? `${x.evidence!.log_e.toFixed(1)} of ${x.evidence_needed!.toFixed(1)}` : "–");
  put(8, bytes(x.bytes));
  (cells[9]!.firstElementChild as HTMLElement).hidden = x.role !== "challenger";
}
