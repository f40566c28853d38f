// A chart of the column: lines over the view's time, the shared cursor, the marks, a legend that reads the cursor, a table.

import uPlot from "uplot";
import type { Sample } from "./api";
import { h, keyed, mark, write } from "./dom";
import { moment, time } from "./format";
import { drawMarks, drawSpans } from "./marks";
import { steer } from "./steer";
import { nearest, range, type State, type Store } from "./store";
import { dataTable } from "./table";
import { color, onTheme } from "./theme";
import type { LiveLink } from "./link";

export interface Line {
  key: string;
  label: string;
  color: string;
  dash?: number[];
  width?: number;
  of: (sample: Sample) => number | null | undefined;
}

export interface ChartSpec {
  id: string;
  title: (state: State) => string;
  hint: (state: State) => string;
  lines: (state: State) => Line[];
  /** A value in full, and as short as an axis wants it. */
  text: (value: number | null | undefined, state: State) => string;
  axis: (value: number, state: State) => string;
  height: number;
  /** The legend names a line only where it has a value. */
  sparse?: boolean;
  /** Lowest and highest value shown for those that are there. */
  scale: (low: number, high: number, state: State) => [number, number];
}

/** Right of the plots; left of them is the axis, whose width the style sheet gives as `--gutter`. */
export const RIGHT = 12;
/** A hole in the line: no sample for so many steps, and at least so long. */
const HOLE = { steps: 4, ms: 5_000 };

export const gutter = () => (matchMedia("(max-width: 640px)").matches ? 46 : 100);

export function chart(spec: ChartSpec, store: Store, link: LiveLink): HTMLElement {
  const title = h("h3", { id: `${spec.id}-title` });
  const hint = h("p", { class: "hint" });
  const legend = h("div", { class: "legend", role: "group", "aria-labelledby": `${spec.id}-title` });
  const plot = h("div", { class: "plot", tabindex: "0", role: "slider", "aria-label": "time" });
  const table = dataTable(spec, store);
  const section = h(
    "section",
    { class: "chart", id: spec.id },
    h("div", { class: "chart-head" }, title, hint, table.button, legend),
    plot,
    table.region,
  );
  const hidden = new Set<string>();
  let lines: Line[] = [];
  let u: uPlot | undefined;

  const rebuild = (state: State) => {
    u?.destroy();
    lines = spec.lines(state);
    u = new uPlot(options(), [[], ...lines.map(() => [])] as unknown as uPlot.AlignedData, plot);
  };

  const options = (): uPlot.Options => ({
    width: Math.max(plot.clientWidth, 200),
    height: spec.height,
    ms: 1,
    padding: [14, RIGHT, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: true, y: false, setScale: false },
      points: { size: 7, fill: (_, i) => color(lines[i - 1]?.color ?? "--text") },
    },
    select: { show: true, left: 0, top: 0, width: 0, height: 0 },
    scales: {
      x: { time: true, range: () => range(store.state) },
      y: { range: (_, low, high) => spec.scale(low ?? 0, high ?? 1, store.state) },
    },
    axes: [
      {
        stroke: () => color("--muted"),
        grid: { show: false },
        ticks: { show: false },
        size: 24,
        gap: 4,
        font: FONT,
        space: 76,
        incrs: TICKS,
        values: (self, splits) => times(self, splits),
      },
      {
        stroke: () => color("--muted"),
        grid: { stroke: () => color("--line"), width: 1 },
        ticks: { show: false },
        size: gutter(),
        gap: 8,
        font: FONT,
        space: 34,
        values: (_, splits) => splits.map((v) => spec.axis(v, store.state)),
      },
    ],
    series: [
      {},
      ...lines.map((line): uPlot.Series => ({
        label: line.label,
        show: !hidden.has(line.key),
        stroke: () => color(line.color),
        width: line.width ?? 1.5,
        ...(line.dash === undefined ? {} : { dash: line.dash }),
        points: { show: false },
      })),
    ],
    hooks: {
      drawClear: [(self) => drawSpans(self, store.state)],
      draw: [(self) => drawMarks(self, store.state)],
      setCursor: [
        (self) => {
          if (!self.over.matches(":hover")) return;
          const left = self.cursor.left ?? -1;
          store.set({ cursor: left < 0 ? null : self.posToVal(left, "x") });
        },
      ],
      setSelect: [
        (self) => {
          const { left, width } = self.select;
          if (width < 8) return;
          const [from, to] = [self.posToVal(left, "x"), self.posToVal(left + width, "x")];
          self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          link.look({ windowMs: Math.max(to - from, 2_000), to });
        },
      ],
      ready: [(self) => self.over.addEventListener("mouseleave", () => store.set({ cursor: null }))],
    },
  });

  const showLegend = (state: State) => {
    const index = state.cursor === null ? state.samples.length - 1 : nearest(state.samples, state.cursor);
    const sample = state.samples[index];
    const named =
      spec.sparse === true
        ? lines.filter((line) => hidden.has(line.key) || (sample !== undefined && typeof line.of(sample) === "number"))
        : lines;
    keyed(
      legend,
      named,
      (line) => line.key,
      (line) => {
        const key = h("span", { class: "key", "aria-hidden": "true" });
        key.style.setProperty("--c", `var(${line.color})`);
        key.dataset["dash"] = line.dash === undefined ? "solid" : (line.dash[0] ?? 0) <= 2 ? "dotted" : "dashed";
        return h(
          "button",
          { type: "button", onclick: () => toggle(line.key), "aria-pressed": "true" },
          key,
          h("span", { class: "name" }, line.label),
          h("b", {}),
        );
      },
      (button, line) => {
        mark(button, "aria-pressed", String(!hidden.has(line.key)));
        write(button.lastElementChild!, sample === undefined ? "–" : spec.text(line.of(sample), state));
      },
    );
    const [from, to] = range(state);
    const at = sample?.at_ms ?? to;
    mark(plot, "aria-valuemin", String(Math.round(from)));
    mark(plot, "aria-valuemax", String(Math.round(to)));
    if (state.cursor !== null || document.activeElement !== plot) {
      mark(plot, "aria-valuenow", String(Math.round(at)));
      mark(
        plot,
        "aria-valuetext",
        sample === undefined
          ? "no data yet"
          : [time(at), ...lines.map((l) => `${l.label} ${spec.text(l.of(sample), state)}`)].join(", "),
      );
    }
  };

  const toggle = (key: string) => {
    if (!hidden.delete(key)) hidden.add(key);
    const index = lines.findIndex((line) => line.key === key);
    u?.setSeries(index + 1, { show: !hidden.has(key) });
    showLegend(store.state);
  };

  const render = (state: State) => {
    write(title, spec.title(state));
    write(hint, spec.hint(state));
    mark(plot, "aria-label", `${spec.title(state)}: time`);
    const wanted = spec.lines(state);
    if (
      u === undefined ||
      wanted.map((l) => l.key + l.color + l.label).join() !== lines.map((l) => l.key + l.color + l.label).join()
    )
      rebuild(state);
    lines = wanted;
    u!.setData(columns(state, lines));
    if (!u!.over.matches(":hover")) {
      const left = state.cursor === null ? -10 : u!.valToPos(state.cursor, "x");
      u!.setCursor({ left, top: state.cursor === null ? -10 : 10 }, false);
    }
    showLegend(state);
    table.render(state);
  };

  store.subscribe(render);
  onTheme(() => u?.redraw(false));
  new ResizeObserver(() => {
    if (u === undefined || plot.clientWidth === 0 || plot.clientWidth === u.width) return;
    rebuild(store.state);
    render(store.state);
  }).observe(plot);
  plot.addEventListener("keydown", (event) => steer(event, store));
  plot.addEventListener("dblclick", () => link.look({ windowMs: store.state.view.windowMs, to: null }));
  return section;
}

const FONT = "11px system-ui, sans-serif";
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const HALF_LABEL = 28;
const TICKS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12, 24, 48, 168, 720].map((n) => n * HOUR),
];

/** Labels of the time axis; the last one is left out where it would be cut. */
function times(u: uPlot, splits: number[]): string[] {
  const { min = 0, max = 0 } = u.scales["x"] ?? {};
  const label = max! - min! > 24 * HOUR ? (at: number) => moment(at, 0) : time;
  const edge = max! - ((HALF_LABEL - RIGHT) / Math.max(u.over.clientWidth, 1)) * (max! - min!);
  return splits.map((at) => (at > edge ? "" : label(at)));
}

function columns(state: State, lines: readonly Line[]): uPlot.AlignedData {
  const at: number[] = [];
  const values: (number | null)[][] = lines.map(() => []);
  const hole = Math.max(HOLE.steps * state.stepMs, HOLE.ms);
  for (const sample of state.samples) {
    const before = at.at(-1);
    if (before !== undefined && sample.at_ms - before > hole) {
      at.push(before + 1);
      for (const column of values) column.push(null);
    }
    at.push(sample.at_ms);
    lines.forEach((line, i) => values[i]!.push(line.of(sample) ?? null));
  }
  return [at, ...values];
}
