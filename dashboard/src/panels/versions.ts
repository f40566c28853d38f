// The kept versions, and which of them is served.

import type { Version } from "../api";
import { h, keyed, mark, write } from "../dom";
import { ago, bytes, count } from "../format";
import { now, type State, type Store } from "../store";
import type { Ask } from "./ask";

const HEADS = ["Version", "Events", "Learner", "Saved", "Size", "State", ""];

export function versions(store: Store, ask: Ask): HTMLElement {
  const body = h("tbody", { role: "rowgroup" });
  const head = h(
    "tr",
    { role: "row" },
    ...HEADS.map((text) =>
      h("th", { scope: "col", role: "columnheader" }, text === "" ? h("span", { class: "sr" }, "Actions") : text),
    ),
  );
  const follow = h(
    "button",
    { type: "button", class: "primary", onclick: () => ask({ follow: {} }) },
    "Follow the champion",
  );
  const status = h("p", { class: "hint" });
  store.subscribe((state) => {
    const pinned = pin(state);
    follow.hidden = pinned === null;
    write(
      status,
      pinned === null
        ? "The champion is served, as it learns. Rolling back serves a kept version; learning goes on beside it."
        : `Version ${count(pinned)} is pinned: it is served unchanged, learning goes on beside it.`,
    );
    keyed(
      body,
      state.versions,
      (v) => String(v.version),
      (v) => row(v, ask),
      (element, v) => update(element, v, state, pinned),
    );
  });
  return h(
    "section",
    { class: "card", "aria-labelledby": "versions-title" },
    h("div", { class: "card-head" }, h("h2", { id: "versions-title" }, "Versions"), follow),
    status,
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table of versions" },
      h("table", { class: "versions rows", role: "table" }, h("thead", { role: "rowgroup" }, head), body),
    ),
  );
}

function pin(state: State): number | null {
  const live = state.model?.live;
  return live !== undefined && "pinned" in live ? live.pinned : null;
}

/** A cell that names its column where there is no room for one. */
const cell = (column: number, ...children: (Node | string)[]) =>
  h("td", { role: "cell", "data-label": HEADS[column] }, ...children);

function row(v: Version, ask: Ask): HTMLTableRowElement {
  const back = h(
    "button",
    {
      type: "button",
      class: "small",
      "aria-label": `Roll back to version ${v.version}`,
      onclick: () => ask({ rollback: { version: v.version } }),
    },
    "Roll back",
  );
  const hash = h("code", { title: v.state_hash }, v.state_hash.slice(0, 10));
  return h(
    "tr",
    { role: "row" },
    h(
      "th",
      { scope: "row", role: "rowheader" },
      count(v.version),
      h("span", { class: "chip", hidden: true }, "served"),
    ),
    cell(1, count(v.events)),
    cell(2, v.learner),
    cell(3),
    cell(4, bytes(v.bytes)),
    cell(5, hash),
    cell(6, back),
  );
}

function update(element: HTMLTableRowElement, v: Version, state: State, pinned: number | null): void {
  const served = v.version === pinned;
  mark(element, "data-served", served ? "" : null);
  (element.cells[0]!.lastElementChild as HTMLElement).hidden = !served;
  write(element.cells[3]!, ago(Math.max(0, now(state) - Date.parse(v.at))));
  (element.cells[6]!.firstElementChild as HTMLElement).hidden = served;
}
