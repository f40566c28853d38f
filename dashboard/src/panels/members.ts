// What the serving learner's answer is made of: its members' parts, and the inputs that its linear parts go by.

import type { InputShare, Member, Sample } from "../api";
import { h, keyed, mark, s, write } from "../dom";
import { bytes, figure, percent } from "../format";
import type { State, Store } from "../store";

/** Rows of each table; what is left has little to say. */
const MOST = 12;
const HEADS = ["Member", "Part", "Over time", "Loss", "Size", "Cost"];
const SPARK = { width: 120, height: 22, points: 60 };

const WORDS: [RegExp, string][] = [
  [/^knn/, "kNN"],
  [/^rls/, "least squares"],
  [/_labels\b|_labels(?=_)/, " with label lags"],
  [/_lags\b/, " with lags"],
  [/_pairs(?=_|$)/, " of pairs"],
  [/_change(?=_|$)/, " on the change"],
  [/_target\b/, " on the target"],
  [/^chain(\d)/, "label chain $1"],
  [/_(fast|slow|short|all)$/, ", $1"],
];

/** A member's name as people would say it: "net_labels" → "net with label lags". */
export const spoken = (name: string) =>
  WORDS.reduce((text, [from, to]) => text.replace(from, to), name).replaceAll("_", " ");

/** "41 % net with label lags, 22 % kNN, 10 % newton": the three that count most. */
export function sentence(members: readonly Member[]): string {
  const parts = biggest(members).slice(0, 3);
  return parts.map((member) => `${percent(member.share, 0)} ${spoken(member.name)}`).join(", ");
}

/** Of an event, in microseconds as `budget` counts them: by operations, never by the clock. */
export const cost = (operations?: number) =>
  operations === undefined ? "–" : `${(operations / 1_000).toFixed(operations < 10_000 ? 1 : 0)} µs`;

const biggest = (members: readonly Member[]) =>
  members.filter((member) => member.bytes > 0 || member.share > 0).sort((a, b) => b.share - a.share);

export function members(store: Store): HTMLElement {
  const summary = h("p", { class: "hint" });
  const body = h("tbody", { role: "rowgroup" });
  const inputs = h("tbody", { role: "rowgroup" });
  const made = table("Table of members", HEADS, body);
  const goes = h("div", {}, h("h3", {}, "Inputs that count most"), table("Table of inputs", ["Input", "Part"], inputs));
  const card = h(
    "section",
    { class: "card members", "aria-labelledby": "members-title", hidden: true },
    h("h2", { id: "members-title" }, "What the answer is made of"),
    summary,
    h("div", { class: "halves" }, made, goes),
  );
  store.subscribe((state) => {
    const champion = state.model?.scores?.find((x) => x.role === "champion");
    const [parts, shares] = [champion?.members ?? [], champion?.inputs ?? []];
    card.hidden = parts.length === 0 && shares.length === 0;
    made.hidden = parts.length === 0;
    goes.hidden = shares.length === 0;
    write(
      summary,
      parts.length === 0
        ? "How much each input counts for in the serving learner's linear scores."
        : `Now: ${sentence(parts)}. A part is the size of a member's weight, as far as it knows anything; the loss is of its own answers.`,
    );
    keyed(
      body,
      biggest(parts).slice(0, MOST),
      (x) => x.name,
      row,
      (element, x) => update(element, x, state),
    );
    keyed(inputs, shares.slice(0, MOST), (x) => x.input, inputRow, updateInput);
  });
  return card;
}

function table(label: string, heads: string[], body: HTMLElement): HTMLElement {
  const head = h("tr", { role: "row" }, ...heads.map((text) => h("th", { scope: "col", role: "columnheader" }, text)));
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
    h("table", { class: "parts", role: "table" }, h("thead", { role: "rowgroup" }, head), body),
  );
}

const cell = (...children: Node[]) => h("td", { role: "cell" }, ...children);

const bar = () => h("span", {}, h("span", { class: "evidence" }, h("span", { class: "fill" })), h("span", {}));

function setBar(cell: Element, share: number): void {
  const [track, text] = cell.firstElementChild!.children as unknown as [HTMLElement, HTMLElement];
  (track.firstElementChild as HTMLElement).style.width = `${(share * 100).toFixed(1)}%`;
  write(text, percent(share, 1));
}

function row(member: Member): HTMLTableRowElement {
  const line = s("path", { fill: "none" });
  const spark = s(
    "svg",
    { class: "spark", viewBox: `0 0 ${SPARK.width} ${SPARK.height}`, "aria-hidden": "true" },
    line,
  );
  return h(
    "tr",
    { role: "row" },
    h("th", { scope: "row", role: "rowheader", title: member.name }, spoken(member.name)),
    cell(bar()),
    cell(spark),
    cell(),
    cell(),
    cell(),
  );
}

function update(element: HTMLTableRowElement, x: Member, state: State): void {
  const cells = element.cells;
  setBar(cells[1]!, x.share);
  mark(cells[2]!.querySelector("path")!, "d", path(state.samples, x.name, 0.5));
  write(cells[3]!, figure(x.loss));
  write(cells[4]!, bytes(x.bytes));
  write(cells[5]!, cost(x.operations));
}

/** The member's part over the samples shown, as a line from 0 (below) to `top` (above). */
export function path(samples: readonly Sample[], name: string, top = 1): string {
  const step = Math.max(1, Math.ceil(samples.length / SPARK.points));
  const points: string[] = [];
  let gap = true;
  for (let i = 0; i < samples.length; i += step) {
    const share = samples[i]!.members?.[name];
    if (share === undefined) {
      gap = true;
      continue;
    }
    const x = (i / Math.max(samples.length - 1, 1)) * SPARK.width;
    const y = 1 + (1 - Math.min(share / top, 1)) * (SPARK.height - 2);
    points.push(`${gap ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`);
    gap = false;
  }
  return points.join("");
}

const inputRow = (x: InputShare): HTMLTableRowElement =>
  h("tr", { role: "row" }, h("th", { scope: "row", role: "rowheader" }, x.input), cell(bar()));

const updateInput = (element: HTMLTableRowElement, x: InputShare) => setBar(element.cells[1]!, x.share);
