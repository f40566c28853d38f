import { expect, test } from "vitest";
import type { Happening, History, Sample } from "./api";
import { nearest, POINTS, range, stepFor, Store } from "./store";

const sample = (at_ms: number, version = at_ms): Sample => ({
  at_ms,
  version,
  events: version,
  lag: 0,
  events_per_second: 0,
  requests_per_second: 0,
  predict_p50_ms: null,
  predict_p99_ms: null,
  loss: { a: 0.1 },
  best: null,
  baseline: null,
  served: null,
  verdict: "stable",
  champion: "a",
  pinned: null,
  checkpoint_version: null,
  waiting: 0,
});
const happening = (number: number, seen_ms: number): Happening => ({
  number,
  version: number,
  events: number,
  at: 0,
  seen_ms,
  what: "followed",
});
const history = (samples: Sample[], to: number, happenings: Happening[] = []): History => ({
  model: "m",
  task: "classification",
  from: 0,
  to,
  step_ms: 250,
  samples,
  happenings,
});

function store() {
  const queue: (() => void)[] = [];
  const made = new Store((run) => queue.push(run));
  return { store: made, frame: () => queue.splice(0).forEach((run) => run()), queue };
}

test("many changes are one redraw, which sees the state before the first of them", () => {
  const { store: s, frame, queue } = store();
  const seen: [number, number][] = [];
  s.subscribe((now, before) => seen.push([before.samples.length, now.samples.length]));
  for (let at = 250; at <= 2_500; at += 250) s.sample(sample(at));
  expect(queue.length).toBe(1);
  frame();
  expect(seen).toEqual([[0, 10]]);
});

test("one sample a step is kept, the newest", () => {
  const { store: s } = store();
  s.load({ ...history([sample(1_000)], 1_000), step_ms: 1_000 });
  for (const at of [1_100, 1_900, 2_000, 2_050]) s.sample(sample(at));
  expect(s.state.samples.map((x) => x.at_ms)).toEqual([1_900, 2_050]);
  s.sample(sample(2_040));
  expect(s.state.latest?.at_ms, "a repeat of the stream changes nothing").toBe(2_050);
});

test("samples outside the window go, and their number is bounded", () => {
  const { store: s } = store();
  s.set({ view: { windowMs: 60_000, to: null } });
  for (let at = 0; at <= 120_000; at += 250) s.sample(sample(at));
  expect(s.state.samples[0]?.at_ms).toBeGreaterThanOrEqual(59_000);
  s.set({ view: { windowMs: 1e12, to: null } });
  for (let at = 120_250; at <= 4_000_000; at += 250) s.sample(sample(at));
  expect(s.state.samples.length).toBeLessThanOrEqual(4 * POINTS);
  expect(s.state.samples.at(-1)?.at_ms).toBe(4_000_000);
});

test("a history keeps what the stream brought while it was on its way, and nothing of an earlier server", () => {
  const { store: s } = store();
  s.sample(sample(900, 7_000));
  s.happening(happening(40, 900));
  s.sample(sample(5_250));
  s.happening(happening(42, 5_250));
  s.load(history([sample(4_750), sample(5_000)], 5_000));
  s.remember(history([], 5_000, [happening(1, 4_000)]));
  expect(s.state.samples.map((x) => x.at_ms)).toEqual([4_750, 5_000, 5_250]);
  expect(s.state.happenings.map((x) => x.number)).toEqual([1, 42]);
});

test("happenings and known drifts come once", () => {
  const { store: s } = store();
  for (const number of [1, 2, 2, 1, 3]) s.happening(happening(number, number));
  for (const at_event of [10, 10, 20]) s.known({ at_event, at_ms: at_event, kind: "abrupt" });
  expect(s.state.happenings.map((x) => x.number)).toEqual([1, 2, 3]);
  expect(s.state.truth.length).toBe(2);
});

test("a moment of the past stands still while samples come in", () => {
  const { store: s } = store();
  s.set({ view: { windowMs: 10_000, to: 50_000 } });
  s.load(history([sample(45_000)], 50_000));
  s.sample(sample(90_000));
  expect(range(s.state)).toEqual([40_000, 50_000]);
  expect(s.state.samples.length).toBe(1);
  expect(s.state.latest?.at_ms).toBe(90_000);
});

test("a young model fills the chart, an old one the window", () => {
  const { store: s } = store();
  s.sample(sample(1_000_000));
  expect(range(s.state)).toEqual([970_000, 1_000_000]);
  s.set({ view: { windowMs: 60_000, to: null } });
  s.load(history([sample(800_000), sample(1_000_000)], 1_000_000));
  expect(range(s.state)).toEqual([940_000, 1_000_000]);
});

test("another model starts empty", () => {
  const { store: s } = store();
  s.sample(sample(1_000));
  s.choose("other");
  expect([s.state.name, s.state.samples.length, s.state.latest]).toEqual(["other", 0, null]);
});

test("the nearest sample", () => {
  const samples = [10, 20, 40].map((at) => sample(at));
  expect([0, 14, 16, 29, 31, 99].map((at) => nearest(samples, at))).toEqual([0, 0, 1, 1, 2, 2]);
  expect(nearest([], 5)).toBe(0);
  expect(stepFor(60_000)).toBe(250);
  expect(stepFor(8_000_000)).toBe(10_000);
});
