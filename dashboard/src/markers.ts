// What happened, as a mark with a shape, a letter and a sentence. Kinds are the lanes of the timeline, in this order.

import type { Happening, Truth } from "./api";
import { count, duration, figure, many } from "./format";

export type Kind = "known" | "warning" | "drift" | "challenger" | "promotion" | "serving" | "note" | "stable";
export type Shape = "hexagon" | "triangle" | "diamond" | "circle" | "arrow" | "square" | "ring" | "check";

export interface KindStyle {
  label: string;
  letter: string;
  shape: Shape;
  /** Strokes and gaps of its line in the charts, in pixels. */
  dash: number[];
}

export const KINDS: Record<Kind, KindStyle> = {
  known: { label: "Known drift", letter: "K", shape: "hexagon", dash: [2, 3] },
  warning: { label: "Warning", letter: "W", shape: "triangle", dash: [6, 4] },
  drift: { label: "Drift", letter: "D", shape: "diamond", dash: [] },
  challenger: { label: "Challenger", letter: "C", shape: "circle", dash: [1, 4] },
  promotion: { label: "Promotion", letter: "P", shape: "arrow", dash: [] },
  serving: { label: "Rollback", letter: "R", shape: "square", dash: [8, 3, 2, 3] },
  stable: { label: "Stable", letter: "", shape: "check", dash: [] },
  note: { label: "Note", letter: "·", shape: "ring", dash: [] },
};

/** The kinds that have a line in the charts and a lane of their own. */
export const DRAWN: Kind[] = ["known", "warning", "drift", "challenger", "promotion", "serving"];

export interface Marker {
  /** Stable: the happening's number, or the truth's event. */
  key: string;
  kind: Kind;
  letter: string;
  at: number;
  title: string;
  detail: string;
  version: number | null;
  events: number;
}

/** Every mark there is, the oldest first. */
export function markers(happenings: readonly Happening[], truth: readonly Truth[]): readonly Marker[] {
  if (memo.happenings !== happenings || memo.truth !== truth)
    memo = { happenings, truth, made: make(happenings, truth) };
  return memo.made;
}

// Every panel asks for the same ones at every frame.
let memo: { happenings?: readonly Happening[]; truth?: readonly Truth[]; made: readonly Marker[] } = { made: [] };

function make(happenings: readonly Happening[], truth: readonly Truth[]): Marker[] {
  const known: Marker[] = truth.map((t) => ({
    key: `t${t.at_event}`,
    kind: "known",
    letter: "K",
    at: t.at_ms,
    title: "The world changed",
    detail: `${t.kind} drift, put in by the demo`,
    version: null,
    events: t.at_event,
  }));
  const seen = happenings.map((happening) => marker(happening, happenings, truth));
  return [...known, ...seen].sort((a, b) => a.at - b.at);
}

function marker(happening: Happening, all: readonly Happening[], truth: readonly Truth[]): Marker {
  const mark = (kind: Kind, title: string, detail: string, letter = KINDS[kind].letter): Marker => ({
    key: `h${happening.number}`,
    kind,
    letter,
    at: happening.seen_ms,
    title,
    detail,
    version: happening.version,
    events: happening.events,
  });
  const { what } = happening;
  if (what === "followed") return mark("serving", "Following again", "the champion is served", "F");
  if ("warning" in what) return mark("warning", "Warning", `the loss of ${what.warning.learner} may be rising`);
  if ("warning_over" in what) return mark("note", WARNING_OVER, "nothing came of it");
  if ("drift" in what) {
    const { learner, incident } = what.drift;
    const rise = `${learner}: loss ${figure(incident.before)} → ${figure(incident.after)}`;
    const cause = causeOf(happening, all, truth);
    const delay = cause === undefined ? "" : `, ${duration(happening.seen_ms - cause.at_ms)} after the known drift`;
    return mark("drift", "Drift", rise + delay);
  }
  if ("drift_over" in what) {
    const { end, lasted } = what.drift_over;
    const how = {
      over: "the loss fell back",
      rebaselined: "the new level counts as normal now",
      deployed: "a learner was deployed",
    }[end];
    return mark("note", "Drift over", `${how ?? end} after ${count(lasted)} events; the champion stays`);
  }
  if ("challenger" in what) return mark("challenger", "Challenger", `${what.challenger.learner} begins to learn`);
  if ("dropped" in what) return mark("note", "Challenger dropped", `${what.dropped.learner} was no better`);
  if ("promotion" in what) {
    const { from, to, evidence } = what.promotion;
    const why =
      evidence === null ? "by hand" : `better by ${figure(evidence.gain)} over ${many(evidence.events, "event")}`;
    return mark("promotion", "Promotion", `${to} takes over from ${from}, ${why}`);
  }
  if ("effect" in what) {
    const { before, at, after, recovered_after: recovered } = what.effect;
    const path = `loss ${figure(before)} before, ${figure(at)} at the swap, ${figure(after)} after`;
    return mark(
      "note",
      "Effect",
      recovered === null ? `${path}; not recovered yet` : `${path}; recovered in ${many(recovered, "event")}`,
    );
  }
  if ("configured" in what) return mark("note", "Configuration", "another one holds from here on");
  if ("gap" in what) {
    const { partition, first, next } = what.gap;
    return mark("note", "Records left out", `${count(first)} to ${count(next - 1)} of partition ${partition} are gone`);
  }
  return mark("serving", "Rolled back", `version ${count(what.pinned.version)} is served, learning goes on`);
}

/** The known change that this drift is the first to report: the latest one before it, if no drift lies between. */
function causeOf(drift: Happening, all: readonly Happening[], truth: readonly Truth[]): Truth | undefined {
  const cause = truth.filter((t) => t.at_event <= drift.events).at(-1);
  if (cause === undefined) return undefined;
  const reported = all.some(
    (h) => typeof h.what === "object" && "drift" in h.what && h.number < drift.number && h.events >= cause.at_event,
  );
  return reported ? undefined : cause;
}

/** The marks as a story to read: warnings in a row of which nothing came are one line, at the latest of them. */
export function story(marks: readonly Marker[]): Marker[] {
  const lines: Marker[] = [];
  let open: Marker[] = [];
  let passed = 0;
  for (const mark of marks) {
    const ends = mark.title === WARNING_OVER && open.length > 0;
    if (ends) {
      // What the warning began goes with it.
      lines.splice(lines.length - open.length);
      if (passed > 0) lines.pop();
      passed++;
      const title = passed === 1 ? "Warning" : `${count(passed)} warnings`;
      lines.push({ ...open[0]!, title, detail: `nothing came of ${passed === 1 ? "it" : "any of them"}` });
      open = [];
      continue;
    }
    if (mark.kind === "warning") open = [mark];
    else if (mark.kind === "challenger" && mark.version === open[0]?.version) open.push(mark);
    else [open, passed] = [[], 0];
    lines.push(mark);
  }
  return lines;
}

const WARNING_OVER = "Warning over";

export interface Span {
  kind: "warning" | "drift";
  from: number;
  /** `null`: still open. */
  to: number | null;
}

/** From when to when a warning or a drift was open. */
export function spans(happenings: readonly Happening[]): Span[] {
  const found: Span[] = [];
  let open: Span | undefined;
  const close = (at: number) => {
    if (open !== undefined) open.to = at;
    open = undefined;
  };
  for (const { what, seen_ms: at } of happenings) {
    if (typeof what === "string") continue;
    if ("warning" in what || "drift" in what) {
      const kind = "drift" in what ? "drift" : "warning";
      if (open?.kind === kind) continue;
      close(at);
      open = { kind, from: at, to: null };
      found.push(open);
    } else if ("warning_over" in what || "drift_over" in what || "promotion" in what) {
      close(at);
    }
  }
  return found;
}
