// The shared cursor, moved by keys.

import { nearest, type Store } from "./store";

const BIG_STEP = 10;

/** Moves the shared cursor by keys. */
export function steer(event: KeyboardEvent, store: Store): void {
  const { samples, cursor } = store.state;
  if (event.ctrlKey || event.metaKey || event.altKey || samples.length === 0) return;
  const last = samples.length - 1;
  const here = cursor === null ? last : nearest(samples, cursor);
  const step = event.shiftKey ? BIG_STEP : 1;
  const to = {
    ArrowLeft: here - step,
    ArrowDown: here - step,
    ArrowRight: here + step,
    ArrowUp: here + step,
    PageDown: here - BIG_STEP,
    PageUp: here + BIG_STEP,
    Home: 0,
    End: last,
  }[event.key];
  if (to === undefined && event.key !== "Escape") return;
  event.preventDefault();
  const sample = to === undefined ? undefined : samples[Math.min(Math.max(to, 0), last)];
  store.set({ cursor: sample?.at_ms ?? null });
}
