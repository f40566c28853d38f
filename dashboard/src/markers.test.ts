import { expect, test } from "vitest";
import type { Happening, What } from "./api";
import { markers, spans, story } from "./markers";

let number = 0;
const at = (seen_ms: number, what: What, events = seen_ms): Happening => ({
  number: ++number,
  version: 100 + seen_ms,
  events,
  at: 0,
  seen_ms,
  what,
});
const incident = { number: 1, at: 0, onset: 0, before: 0.09, after: 0.36, escalations: 0, end: null };
const drift: What = { drift: { learner: "tree", incident } };

test("every kind of happening has a mark and a sentence", () => {
  const evidence = { log_e: 7.1, epoch: 1, events: 812, gain: 0.12 };
  const all: What[] = [
    { warning: { learner: "tree" } },
    { warning_over: { learner: "tree" } },
    drift,
    { drift_over: { learner: "tree", end: "rebaselined", lasted: 9_000 } },
    { challenger: { learner: "tree#2" } },
    { dropped: { learner: "tree#2" } },
    { promotion: { from: "tree", to: "tree#2", evidence } },
    { promotion: { from: "tree", to: "tree#2", evidence: null } },
    { effect: { learner: "tree#2", before: null, at: 0.3, after: 0.08, recovered_after: null } },
    { pinned: { version: 12_345 } },
    "followed",
    { configured: { learner: "tree" } },
    { gap: { topic: 0, partition: 2, first: 10, next: 1_500 } },
  ];
  const made = markers(
    all.map((what, i) => at(i, what)),
    [],
  );
  expect(made.map((m) => m.kind + m.letter).join(" ")).toBe(
    "warningW note· driftD note· challengerC note· promotionP promotionP note· servingR servingF note· note·",
  );
  expect(made[2]?.detail).toBe("tree: loss 0.090 → 0.360");
  expect(made[6]?.detail).toBe("tree#2 takes over from tree, better by 0.120 over 812 events");
  expect(made[7]?.detail).toContain("by hand");
  expect(made[8]?.detail).toContain("not recovered yet");
  expect(made[9]?.detail).toContain("12,345");
  expect(made[12]?.detail).toBe("10 to 1,499 of partition 2 are gone");
  expect(made.every((m) => !m.detail.includes("undefined"))).toBe(true);
});

test("only the first drift behind a known change says how late it was", () => {
  const truth = [{ at_event: 1_000, at_ms: 1_000, kind: "abrupt" }];
  const details = markers([at(500, drift), at(4_200, drift), at(9_000, drift)], truth).map((m) => m.detail);
  expect(details[1]).toBe("abrupt drift, put in by the demo");
  expect(details.map((d) => d.includes("after the known drift"))).toEqual([false, false, true, false]);
  expect(details[2]).toContain("3.2 s");
});

test("warnings in a row of which nothing came are one line, those that became a drift stay", () => {
  const warned = (t: number, ...more: What[]): Happening[] => [
    at(t, { warning: { learner: "a" } }),
    ...more.map((what) => at(t, what)),
  ];
  const over = (t: number) => at(t, { warning_over: { learner: "a" } });
  const challenger: What = { challenger: { learner: "a#2" } };
  const lines = (happenings: Happening[]) =>
    story(markers(happenings, [])).map((m) => `${m.at} ${m.title}${m.detail.includes("nothing came") ? "!" : ""}`);
  const passed = [...warned(1, challenger), over(2), ...warned(3, challenger), over(4), ...warned(5), over(6)];
  expect(lines(passed.slice(0, 3))).toEqual(["1 Warning!"]);
  expect(lines(passed)).toEqual(["5 3 warnings!"]);
  const after = [...passed, ...warned(7, challenger), at(8, drift), at(9, challenger), ...warned(10), over(11)];
  expect(lines(after)).toEqual([
    "5 3 warnings!",
    "7 Warning",
    "7 Challenger",
    "8 Drift",
    "9 Challenger",
    "10 Warning!",
  ]);
  expect(lines([over(1), ...warned(2)])).toEqual(["1 Warning over!", "2 Warning"]);
});

test("a warning becomes a drift, a promotion ends it, the last one stays open", () => {
  const story = [
    at(1, { warning: { learner: "a" } }),
    at(2, { warning_over: { learner: "a" } }),
    at(3, { warning: { learner: "a" } }),
    at(4, drift),
    at(6, { promotion: { from: "a", to: "b", evidence: null } }),
    at(8, drift),
  ];
  expect(spans(story)).toEqual([
    { kind: "warning", from: 1, to: 2 },
    { kind: "warning", from: 3, to: 4 },
    { kind: "drift", from: 4, to: 6 },
    { kind: "drift", from: 8, to: null },
  ]);
});
