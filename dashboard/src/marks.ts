// What happened, drawn into a chart: a tint while a warning or a drift is open, a line at each mark.

import type uPlot from "uplot";
import { draw } from "./glyph";
import { DRAWN, KINDS, markers, spans, type Kind } from "./markers";
import { range, type State } from "./store";
import { color } from "./theme";

/** Many of these come to nothing. */
const FAINT: Kind[] = ["warning", "challenger"];
/** Which shape stands where several would. */
const RANK: Kind[] = ["drift", "serving", "promotion", "known", "warning", "challenger"];

/** Behind the lines. */
export function drawSpans(u: uPlot, state: State): void {
  const [from, to] = range(state);
  const { left, top, width, height } = u.bbox;
  for (const span of spans(state.happenings)) {
    const [start, end] = [Math.max(span.from, from), Math.min(span.to ?? to, to)];
    if (end <= start) continue;
    const x = left + ((start - from) / (to - from)) * width;
    u.ctx.fillStyle = color(span.kind === "drift" ? "--drift-tint" : "--warning-tint");
    u.ctx.fillRect(x, top, Math.max(((end - start) / (to - from)) * width, 1), height);
  }
}

/** Before the lines. */
export function drawMarks(u: uPlot, state: State): void {
  const [from, to] = range(state);
  const { left, top, width, height } = u.bbox;
  const dpr = devicePixelRatio;
  const { ctx } = u;
  const shaped: number[] = [];
  ctx.save();
  const seen = markers(state.happenings, state.truth).filter(
    (m) => m.at >= from && m.at <= to && DRAWN.includes(m.kind),
  );
  for (const marker of seen.sort((a, b) => RANK.indexOf(a.kind) - RANK.indexOf(b.kind))) {
    const x = Math.round(left + ((marker.at - from) / (to - from)) * width) + 0.5;
    const chosen = marker.key === state.selected;
    ctx.strokeStyle = ctx.fillStyle = color(`--${marker.kind}`);
    ctx.globalAlpha = chosen ? 1 : FAINT.includes(marker.kind) ? 0.4 : 0.75;
    ctx.lineWidth = (chosen ? 2.5 : 1) * dpr;
    ctx.setLineDash(KINDS[marker.kind].dash.map((d) => d * dpr));
    ctx.beginPath();
    ctx.moveTo(x, top);
    ctx.lineTo(x, top + height);
    ctx.stroke();
    // Where shapes would cover one another the more important one stands; the timeline has them all.
    if (shaped.some((other) => Math.abs(other - x) < 10 * dpr)) continue;
    shaped.push(x);
    draw(ctx, marker.kind, x, top - 11 * dpr, 9 * dpr);
  }
  ctx.restore();
}
