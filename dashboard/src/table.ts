// The figures of a chart as a table, made only when it is asked for.

import type { ChartSpec } from "./chart";
import { h, mark } from "./dom";
import { count, time } from "./format";
import type { State, Store } from "./store";

const ROWS = 60;
const EVERY_MS = 2_000;

export function dataTable(
  spec: ChartSpec,
  store: Store,
): { button: HTMLElement; region: HTMLElement; render: (state: State) => void } {
  const region = h("div", {
    class: "scroll figures",
    id: `${spec.id}-table`,
    tabindex: "0",
    role: "region",
    hidden: true,
  });
  const button = h(
    "button",
    {
      type: "button",
      class: "quiet-button",
      "aria-expanded": "false",
      "aria-controls": region.id,
      onclick: () => show(),
    },
    "Table",
  );
  let written = 0;

  const fill = (state: State) => {
    written = Date.now();
    const lines = spec.lines(state);
    const every = Math.max(1, Math.ceil(state.samples.length / ROWS));
    const rows = state.samples.filter((_, i) => (state.samples.length - 1 - i) % every === 0).reverse();
    const head = h(
      "tr",
      {},
      ...["Time", "Events", ...lines.map((l) => l.label)].map((text) => h("th", { scope: "col" }, text)),
    );
    const body = rows.map((sample) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, time(sample.at_ms)),
        h("td", {}, count(sample.events)),
        ...lines.map((l) => h("td", {}, spec.text(l.of(sample), state))),
      ),
    );
    const caption = h(
      "caption",
      { class: "quiet" },
      `${spec.title(state)}, the newest first, ${rows.length} of ${state.samples.length} points`,
    );
    region.replaceChildren(h("table", {}, caption, h("thead", {}, head), h("tbody", {}, ...body)));
  };

  const show = () => {
    region.hidden = !region.hidden;
    button.setAttribute("aria-expanded", String(!region.hidden));
    if (region.hidden) region.replaceChildren();
    else fill(store.state);
  };
  return {
    button,
    region,
    render: (state) => {
      mark(region, "aria-label", `${spec.title(state)}, figures`);
      mark(button, "aria-label", `${spec.title(state)} as a table`);
      if (!region.hidden && Date.now() - written > EVERY_MS) fill(state);
    },
  };
}
