// Every learner's loss, side by side over time.

import type { Sample } from "../api";
import type { ChartSpec, Line } from "../chart";
import { figure, percent, short } from "../format";
import type { State } from "../store";

const COLORS = 8;
const DASHES = [undefined, [8, 3], [2, 3], [10, 3, 2, 3]];
/** Learners drawn at most: those that were there last. */
const MOST = 12;
const places = new Map<string, number>();

/** A learner keeps its colour for as long as the page is open. */
export function lineOf(learner: string): { color: string; dash?: number[] } {
  let place = places.get(learner);
  if (place === undefined) places.set(learner, (place = places.size));
  const dash = DASHES[Math.floor(place / COLORS) % DASHES.length];
  return { color: `--s${place % COLORS}`, ...(dash === undefined ? {} : { dash }) };
}

let memo: { samples: readonly Sample[]; names: string[] } = { samples: [], names: [] };

function learners(state: State): string[] {
  if (memo.samples !== state.samples) {
    const seen = new Map<string, number>();
    for (const sample of state.samples) for (const name of Object.keys(sample.loss)) seen.set(name, sample.at_ms);
    const latest = [...seen].sort((a, b) => b[1] - a[1]).slice(0, MOST);
    const kept = new Set(latest.map(([name]) => name));
    memo = { samples: state.samples, names: [...seen.keys()].filter((name) => kept.has(name)) };
  }
  return memo.names;
}

export const loss: ChartSpec = {
  id: "loss",
  title: () => "Loss of each learner",
  hint: (state) =>
    state.task === "classification"
      ? "share of wrong answers; lower is better"
      : "mean absolute error; lower is better",
  height: 180,
  sparse: true,
  lines: (state) =>
    learners(state).map((name): Line => ({
      key: name,
      label: name,
      ...lineOf(name),
      width: name === state.latest?.champion ? 2.25 : 1.25,
      of: (sample) => sample.loss[name],
    })),
  text: (value, state) => (state.task === "classification" ? percent(value) : figure(value)),
  axis: (value, state) => (state.task === "classification" ? percent(value, 0) : short(value)),
  scale: (_, high) => [0, Math.max(high * 1.08, 1e-9)],
};
