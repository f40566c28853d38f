// The figures of a chart as a table, made only when it is asked for.

import type { ChartSpec } from "./chart";
import { h } from "./dom";
import { count, time } from "./format";
import type { State, Store } from "./store";

const ROWS = 60;
const EVERY_MS = 2_000;

export function dataTable(spec: ChartSpec, store: Store): { element: HTMLElement; render: (state: State) => void } {
  const box = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Figures" });
  const element = h("details", { class: "figures" }, h("summary", {}, "Figures as a table"), box);
  let written = 0;

  const fill = (state: State) => {
    written = Date.now();
    box.setAttribute("aria-label", `Figures: ${spec.title(state)}`);
    const lines = spec.lines(state);
    const every = Math.max(1, Math.ceil(state.samples.length / ROWS));
    const rows = state.samples.filter((_, i) => (state.samples.length - 1 - i) % every === 0).reverse();
    const head = h("tr", {}, ...["Time", "Events", ...lines.map((l) => l.label)].map((text) => h("th", { scope: "col" }, text)));
    const body = rows.map((sample) =>
      h("tr", {}, h("th", { scope: "row" }, time(sample.at_ms)), h("td", {}, count(sample.events)), ...lines.map((l) => h("td", {}, spec.text(l.of(sample), state)))),
    );
    const caption = h("caption", { class: "quiet" }, `${spec.title(state)}, the newest first, ${rows.length} of ${state.samples.length} points`);
    box.replaceChildren(h("table", {}, caption, h("thead", {}, head), h("tbody", {}, ...body)));
  };

  element.addEventListener("toggle", () => (element.open ? fill(store.state) : box.replaceChildren()));
  return {
    element,
    render: (state) => {
      if (element.open && Date.now() - written > EVERY_MS) fill(state);
    },
  };
}
