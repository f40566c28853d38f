// How much passes, and how much waits.

import type { ChartSpec } from "../chart";
import { count, short } from "../format";

const fromZero = (_: number, high: number): [number, number] => [0, Math.max(high * 1.1, 10)];

export const throughput: ChartSpec = {
  id: "throughput",
  title: () => "Throughput",
  hint: () => "a second",
  height: 130,
  lines: () => [
    { key: "events", label: "events learned", color: "--accent", width: 2, of: (s) => s.events_per_second },
    {
      key: "requests",
      label: "predictions asked for",
      color: "--line-served",
      dash: [9, 3],
      of: (s) => s.requests_per_second,
    },
  ],
  text: (value) => (value !== null && value !== undefined && value < 10 ? short(value) : count(value)),
  axis: short,
  scale: fromZero,
};

export const lag: ChartSpec = {
  id: "lag",
  title: () => "Lag",
  hint: () => "events waiting in the log",
  height: 110,
  lines: () => [{ key: "lag", label: "waiting", color: "--accent", width: 2, of: (s) => s.lag }],
  text: count,
  axis: short,
  scale: fromZero,
};
