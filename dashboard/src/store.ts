// The one state of the page. Panels read it and are told of changes, at most once a frame.

import type { Happening, History, Model, Sample, Task, Truth, Version } from "./api";

export type Link = "connecting" | "live" | "polling" | "offline" | "paused" | "hidden";

/** What the charts show: the `windowMs` before `to`. No `to`: up to now. */
export interface View {
  windowMs: number;
  to: number | null;
}

export interface State {
  names: string[];
  name: string | null;
  model: Model | null;
  versions: Version[];
  task: Task;
  /** Of the view, the oldest first, at most one per `stepMs`. */
  samples: Sample[];
  stepMs: number;
  /** The newest sample, whatever the view. */
  latest: Sample | null;
  happenings: Happening[];
  truth: Truth[];
  view: View;
  /** Where the shared cursor stands. */
  cursor: number | null;
  /** Key of the marker chosen in the log or the timeline. */
  selected: string | null;
  link: Link;
  /** Why the link is not up, or the last wish was not met. */
  trouble: string | null;
  /** What the server's clock is ahead of ours. */
  skewMs: number;
}

/** Samples a chart draws at most; more cannot be told apart. */
export const POINTS = 800;
/** Shortest distance of two samples. */
const FINEST_MS = 250;
/** Happenings kept, as many as the server keeps of a model. */
const KEPT = 512;
export const DEFAULT_WINDOW_MS = 5 * 60_000;

/** Shown at least, however young the model is. */
const YOUNG_MS = 30_000;

/** The distance of samples that suits a view. */
export const stepFor = (windowMs: number) => Math.max(FINEST_MS, Math.ceil(windowMs / POINTS));

const empty = (): Omit<State, "names" | "name" | "view" | "link" | "skewMs"> => ({
  model: null,
  versions: [],
  task: "classification",
  samples: [],
  stepMs: FINEST_MS,
  latest: null,
  happenings: [],
  truth: [],
  cursor: null,
  selected: null,
  trouble: null,
});

export type Listener = (state: State, before: State) => void;

export class Store {
  state: State = {
    ...empty(),
    names: [],
    name: null,
    view: { windowMs: DEFAULT_WINDOW_MS, to: null },
    link: "connecting",
    skewMs: 0,
  };
  private shown: State = this.state;
  private readonly listeners: Listener[] = [];
  private due = false;

  /** `later` runs a function once, soon: a frame later on the page. */
  constructor(private readonly later: (run: () => void) => void) {}

  subscribe(listener: Listener): void {
    this.listeners.push(listener);
  }

  set(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
    if (this.due) return;
    this.due = true;
    this.later(() => {
      this.due = false;
      const before = this.shown;
      this.shown = this.state;
      for (const listener of this.listeners) listener(this.state, before);
    });
  }

  /** Turns to another model: nothing of the old one stays. */
  choose(name: string): void {
    if (name !== this.state.name) this.set({ ...empty(), name });
  }

  /** All marks there are: those of `history`, then what the stream brought after it was written. */
  remember(history: History): void {
    const last = history.happenings.at(-1)?.number ?? 0;
    const newer = this.state.happenings.filter((h) => h.seen_ms > history.to && h.number > last);
    const truth = history.truth ?? [];
    const newest = truth.at(-1)?.at_event ?? -1;
    const newerTruth = this.state.truth.filter((t) => t.at_ms > history.to && t.at_event > newest);
    this.set({
      happenings: [...history.happenings, ...newer].slice(-KEPT),
      truth: [...truth, ...newerTruth].slice(-KEPT),
    });
  }

  /** The samples of the view, then what the stream brought after they were written. */
  load(history: History): void {
    const last = history.samples.at(-1);
    const follows = this.state.view.to === null;
    const newer = follows ? this.state.samples.filter((s) => s.at_ms > Math.max(last?.at_ms ?? 0, history.to)) : [];
    const samples = [...history.samples, ...newer];
    const latest = follows ? (samples.at(-1) ?? this.state.latest) : (this.state.latest ?? last ?? null);
    this.set({ samples, latest, task: history.task ?? this.state.task, stepMs: Math.max(history.step_ms, FINEST_MS) });
  }

  sample(sample: Sample): void {
    const { samples, stepMs, view } = this.state;
    if (view.to !== null) return this.set({ latest: sample });
    const last = samples.at(-1);
    if (last !== undefined && sample.at_ms <= last.at_ms) return;
    // The newest sample of a step stands for it, as in the server's history.
    const same = last !== undefined && Math.floor(sample.at_ms / stepMs) === Math.floor(last.at_ms / stepMs);
    const kept = same ? samples.slice(0, -1) : samples.slice();
    kept.push(sample);
    const oldest = sample.at_ms - view.windowMs - stepMs;
    const first = kept.findIndex((s) => s.at_ms >= oldest);
    this.set({ samples: kept.slice(Math.max(first, kept.length - 4 * POINTS)), latest: sample });
  }

  happening(happening: Happening): void {
    const { happenings } = this.state;
    if (happenings.some((h) => h.number >= happening.number)) return;
    this.set({ happenings: [...happenings, happening].slice(-KEPT) });
  }

  known(change: Truth): void {
    const { truth } = this.state;
    if (truth.some((t) => t.at_event === change.at_event)) return;
    this.set({ truth: [...truth, change].slice(-KEPT) });
  }
}

/** The server's clock. */
export const now = (state: State) => Math.max(Date.now() + state.skewMs, state.latest?.at_ms ?? 0);

/** From when to when the charts show, in epoch milliseconds. */
export function range(state: State): [number, number] {
  const to = state.view.to ?? state.latest?.at_ms ?? Date.now() + state.skewMs;
  const { windowMs } = state.view;
  const first = state.samples[0]?.at_ms ?? to;
  // A young model's line fills the chart instead of its right edge.
  const from = state.view.to === null ? Math.min(first, to - YOUNG_MS) : 0;
  return [Math.max(from, to - windowMs), to];
}

/** The sample nearest to a moment. */
export function nearest(samples: readonly Sample[], at: number): number {
  let low = 0;
  let high = samples.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((samples[middle]?.at_ms ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  const right = samples[low];
  const left = samples[low - 1];
  return left !== undefined && right !== undefined && at - left.at_ms < right.at_ms - at ? low - 1 : low;
}
