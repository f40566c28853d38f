// What happened when: a lane for each kind, aligned with the charts below; at once their legend.

import { gutter, RIGHT } from "../chart";
import { h, keyed, mark, write } from "../dom";
import { moment, time } from "../format";
import { glyph } from "../glyph";
import { DRAWN, KINDS, markers, spans, type Kind, type Marker } from "../markers";
import { now, range, type State, type Store } from "../store";

export function timeline(store: Store, choose: (marker: Marker) => void): HTMLElement {
  const lanes = new Map<Kind, { row: HTMLElement; track: HTMLElement }>();
  const box = h("div", { class: "lanes" });
  for (const kind of DRAWN) {
    const track = h("div", { class: "track" });
    const row = h(
      "div",
      { class: "lane" },
      h("span", { class: "lane-name" }, glyph(kind), h("span", {}, KINDS[kind].label)),
      track,
    );
    row.dataset["kind"] = kind;
    box.append(row);
    lanes.set(kind, { row, track });
  }
  const line = h("div", { class: "lane-cursor", hidden: true });
  box.append(line);
  const legend = h(
    "div",
    { class: "lanes-legend", "aria-hidden": "true" },
    ...DRAWN.map((kind) => h("span", {}, glyph(kind), KINDS[kind].label)),
  );
  const readout = h("p", { class: "readout" });

  const place = (element: HTMLElement, at: number, state: State) => {
    const [from, to] = range(state);
    element.style.left = `${(((at - from) / (to - from)) * 100).toFixed(3)}%`;
  };

  store.subscribe((state) => {
    const [from, to] = range(state);
    box.style.setProperty("--gutter", `${gutter()}px`);
    box.style.setProperty("--right", `${RIGHT}px`);
    const all = markers(state.happenings, state.truth).filter((m) => m.at >= from && m.at <= to);
    const open = spans(state.happenings).filter((x) => (x.to ?? to) > from && x.from < to);
    for (const [kind, { row, track }] of lanes) {
      row.hidden = kind === "known" && state.truth.length === 0;
      const bars = open.filter((x) => x.kind === kind).map((span) => ({ span, key: `s${span.from}` }));
      const marks = all.filter((m) => m.kind === kind).map((marker) => ({ marker, key: marker.key }));
      const items: { key: string; span?: (typeof open)[number]; marker?: Marker }[] = [...bars, ...marks];
      keyed(
        track,
        items,
        (i) => i.key,
        (i) => {
          if (i.marker === undefined) return h("span", { class: "bar" });
          const { marker } = i;
          return h(
            "button",
            { type: "button", class: "badge", onclick: () => choose(marker) },
            glyph(marker.kind, marker.letter),
            h("span", { class: "sr" }, `${marker.title}, ${time(marker.at)}`),
          );
        },
        (element, i) => {
          if (i.marker !== undefined) {
            place(element, i.marker.at, state);
            mark(element, "title", `${i.marker.title}, ${time(i.marker.at)}: ${i.marker.detail}`);
            mark(element, "aria-pressed", String(i.marker.key === state.selected));
          } else if (i.span !== undefined) {
            const [start, end] = [Math.max(i.span.from, from), Math.min(i.span.to ?? to, to)];
            place(element, start, state);
            element.style.width = `${((Math.max(end - start, 0) / (to - from)) * 100).toFixed(3)}%`;
          }
        },
      );
    }
    line.hidden = state.cursor === null || state.cursor < from || state.cursor > to;
    if (state.cursor !== null) line.style.setProperty("--at", String((state.cursor - from) / (to - from)));
    const at = moment(state.cursor ?? to, now(state));
    write(readout, state.cursor === null ? (state.view.to === null ? "up to now" : `up to ${at}`) : at);
  });
  return h(
    "section",
    { class: "timeline", "aria-labelledby": "timeline-title" },
    h("div", { class: "chart-head" }, h("h3", { id: "timeline-title" }, "What happened"), readout),
    box,
    legend,
  );
}
