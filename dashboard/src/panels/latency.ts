// How long a prediction takes.

import type { ChartSpec } from "../chart";
import { millis } from "../format";

export const latency: ChartSpec = {
  id: "latency",
  title: () => "Predict latency",
  hint: () => "from request to answer, inside the server",
  height: 130,
  lines: () => [
    { key: "p99", label: "99th percentile", color: "--line-served", dash: [9, 3], of: (s) => s.predict_p99_ms },
    { key: "p50", label: "median", color: "--accent", width: 2, of: (s) => s.predict_p50_ms },
  ],
  text: millis,
  axis: millis,
  scale: (_, high) => [0, Math.max(high * 1.1, 0.05)],
};
