// How good the model is: as a rule of thumb the line to look at.

import type { ChartSpec } from "../chart";
import { figure, percent, short } from "../format";
import type { State } from "../store";

const classes = (state: State) => state.task === "classification";
/** Accuracy of a loss, or the loss itself where it is an error in units of the target. */
export const shown = (loss: number | null | undefined, state: State) =>
  loss === null || loss === undefined ? null : classes(state) ? 1 - loss : loss;

export const accuracy: ChartSpec = {
  id: "accuracy",
  title: (state) => (classes(state) ? "Accuracy" : "Mean absolute error"),
  hint: (state) =>
    classes(state) ? "over the last 1,000 labels; higher is better" : "over the last 1,000 labels; lower is better",
  height: 220,
  lines: (state) => [
    { key: "best", label: "best so far", color: "--line-best", dash: [6, 4], of: (s) => shown(s.best, state) },
    { key: "baseline", label: "baseline", color: "--line-baseline", dash: [2, 3], of: (s) => shown(s.baseline, state) },
    { key: "served", label: "as served", color: "--line-served", dash: [9, 3], of: (s) => shown(s.served, state) },
    { key: "rolling", label: "rolling", color: "--accent", width: 2.25, of: (s) => shown(s.loss[s.champion], state) },
  ],
  text: (value, state) => (classes(state) ? percent(value) : figure(value)),
  axis: (value, state) => (classes(state) ? percent(value, 0) : short(value)),
  scale: (low, high, state) => {
    const room = Math.max((high - low) * 0.08, classes(state) ? 0.01 : high * 0.02, 1e-9);
    return classes(state)
      ? [Math.max(0, low - room), Math.min(1, high + room)]
      : [Math.max(0, low - room), high + room];
  },
};
