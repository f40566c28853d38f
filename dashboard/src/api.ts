// Everything the page says to the server and hears from it.

export type Task = "classification" | "regression";
export type Verdict = "stable" | "warning" | "drift";
export type Role = "champion" | "challenger" | "baseline";
export type Live = { follow: string } | { pinned: number };

/** Of a detector: counts are losses of that learner; `before` and `after` mean losses, 0..1. */
export interface Incident {
  number: number;
  at: number;
  onset: number;
  before: number;
  after: number;
  escalations: number;
  end: [number, "over" | "rebaselined" | "deployed"] | null;
}

export interface Evidence {
  log_e: number;
  epoch: number;
  events: number;
  gain: number;
}

/** What a member of an ensemble counts for. `loss` is of its own answers; absent where it does not take part. */
export interface Member {
  name: string;
  share: number;
  weight: number;
  loss?: number;
  bytes: number;
  /** An event, as the budget counts them. */
  operations?: number;
}

/** What an input counts for in the linear parts. */
export interface InputShare {
  input: string;
  share: number;
}

export interface Standing {
  learner: string;
  role: Role;
  since: number;
  accuracy?: number;
  mae?: number;
  rolling_loss: number | null;
  best_loss: number | null;
  baseline_loss: number | null;
  verdict: Verdict;
  drifts: number;
  incident: Incident | null;
  evidence: Evidence | null;
  evidence_needed: number | null;
  bytes: number;
  members?: Member[];
  inputs?: InputShare[];
}

export interface Labels {
  waiting: number;
  joined: number;
  expired: number;
  early: number;
  late: number;
  duplicate: number;
  changed: number;
  orphan: number;
}

/** A model as it stands. All behind `checkpoint` is absent before the first publication. */
export interface Model {
  name: string;
  phase: string;
  ready: boolean;
  reasons: string[];
  lag: { topic: string; partition: number; messages: number }[];
  checkpoint: { version: number; state_hash: string; at: string } | null;
  task?: Task;
  learner?: string;
  version?: number;
  served_version?: number;
  events?: number;
  scores?: Standing[];
  live?: Live;
  labels?: Labels;
}

/** The model at one moment of the wall clock. Loss: error rate, or mean absolute error. */
export interface Sample {
  at_ms: number;
  version: number;
  events: number;
  lag: number;
  events_per_second: number;
  requests_per_second: number;
  predict_p50_ms: number | null;
  predict_p99_ms: number | null;
  loss: Record<string, number | null>;
  /** What each of the champion's members counted for; absent if it has none. */
  members?: Record<string, number>;
  best: number | null;
  baseline: number | null;
  served: number | null;
  verdict: Verdict;
  champion: string;
  pinned: number | null;
  checkpoint_version: number | null;
  waiting: number;
}

export type What =
  | "followed"
  | { warning: { learner: string } }
  | { warning_over: { learner: string } }
  | { drift: { learner: string; incident: Incident } }
  | { drift_over: { learner: string; end: string; lasted: number } }
  | { challenger: { learner: string } }
  | { dropped: { learner: string } }
  | { promotion: { from: string; to: string; evidence: Evidence | null } }
  | {
      effect: {
        learner: string;
        before: number | null;
        at: number | null;
        after: number;
        recovered_after: number | null;
      };
    }
  | { pinned: { version: number } }
  | { configured: { learner: string } }
  | { gap: { topic: number; partition: number; first: number; next: number } };

/** `at`: time of the newest event; `seen_ms`: wall clock when it was published. */
export interface Happening {
  number: number;
  version: number;
  events: number;
  at: number;
  seen_ms: number;
  what: What;
}

/** A change of the world that the demo made itself. */
export interface Truth {
  at_event: number;
  at_ms: number;
  kind: string;
}

export interface History {
  model: string;
  /** `null` before the first publication. */
  task: Task | null;
  from: number;
  to: number;
  step_ms: number;
  samples: Sample[];
  happenings: Happening[];
  truth?: Truth[];
}

export interface Version {
  version: number;
  state_hash: string;
  at: string;
  events: number;
  learner: string;
  bytes: number;
}

export type Action =
  { rollback: { version: number } } | { promote: { learner: string } } | { follow: Record<string, never> };

export type StreamEvent =
  | { type: "sample"; id: string; data: Sample & { model: string } }
  | { type: "happening"; id: string; data: Happening & { model: string } }
  | { type: "truth"; id: string; data: Truth & { model: string } };

/** What the server answered, in its own words. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** Longest wait for an answer. */
const PATIENCE_MS = 10_000;

const path = (model: string) => `/api/models/${encodeURIComponent(model)}`;

async function request<T>(url: string, init: RequestInit = {}): Promise<T> {
  const response = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS), ...init });
  if (!response.ok) throw await problem(response);
  return (await response.json()) as T;
}

async function problem(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => null);
  const said = body as { detail?: string; title?: string; field?: string; expected?: string; got?: string } | null;
  const text = said?.detail ?? said?.title ?? `${response.status} ${response.statusText}`;
  return new Problem(response.status, text);
}

/** Every model, and how far the server's clock is ahead of ours, in milliseconds. */
export async function models(): Promise<{ models: Model[]; skew: number }> {
  const response = await fetch("/api/models", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!response.ok) throw await problem(response);
  const date = Date.parse(response.headers.get("date") ?? "");
  const { models } = (await response.json()) as { models: Model[] };
  // The header counts whole seconds: less than two apart is the same.
  const skew = Number.isNaN(date) || Math.abs(date - Date.now()) < 2_000 ? 0 : date - Date.now();
  return { models, skew };
}

export const model = (name: string) => request<Model>(path(name));

export const versions = async (name: string) =>
  (await request<{ versions: Version[] }>(`${path(name)}/versions`)).versions;

export function history(name: string, range: { from?: number; to?: number; step?: number } = {}): Promise<History> {
  const query = new URLSearchParams({ model: name });
  for (const [key, value] of Object.entries(range)) if (value !== undefined) query.set(key, String(Math.round(value)));
  return request<History>(`/api/history?${query}`);
}

/** Changes which model is served. */
export function act(name: string, action: Action, token: string): Promise<{ version: number; live: Live }> {
  const [verb, body] = Object.entries(action)[0] as [string, unknown];
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (token !== "") headers["authorization"] = `Bearer ${token}`;
  return request(`${path(name)}/${verb}`, { method: "POST", headers, body: JSON.stringify(body) });
}

/**
 * Server-sent events until the server ends them, `signal` aborts or nothing comes for `silenceMs` (the server says
 * something every 15 s). Read by hand, not by EventSource: that cannot resume after it was closed on purpose, and gives
 * up on a 503.
 */
export async function stream(
  name: string,
  lastId: string | undefined,
  signal: AbortSignal,
  on: (event: StreamEvent) => void,
  opened: () => void,
  silenceMs = 40_000,
): Promise<void> {
  const silence = new AbortController();
  const stop = AbortSignal.any([signal, silence.signal]);
  let alarm = setTimeout(() => silence.abort(), PATIENCE_MS);
  try {
    const headers: Record<string, string> = { accept: "text/event-stream" };
    if (lastId !== undefined) headers["last-event-id"] = lastId;
    const response = await fetch(`/api/stream?model=${encodeURIComponent(name)}`, {
      headers,
      cache: "no-store",
      signal: stop,
    });
    if (!response.ok || response.body === null) throw await problem(response);
    opened();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const parse = parser(on);
    for (;;) {
      clearTimeout(alarm);
      alarm = setTimeout(() => silence.abort(), silenceMs);
      const { done, value } = await reader.read();
      if (done) return;
      parse(value);
    }
  } finally {
    clearTimeout(alarm);
  }
}

/** Takes in text of a `text/event-stream`, in pieces of any size, and hands on each whole event that it knows. */
export function parser(on: (event: StreamEvent) => void): (piece: string) => void {
  let rest = "";
  let type = "";
  let id = "";
  let data: string[] = [];
  return (piece) => {
    const lines = (rest + piece).split(/\r?\n/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        if (data.length > 0 && (type === "sample" || type === "happening" || type === "truth")) {
          on({ type, id, data: JSON.parse(data.join("\n")) } as StreamEvent);
        }
        type = "";
        data = [];
        continue;
      }
      const colon = line.indexOf(":");
      if (colon === 0) continue;
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "event") type = value;
      else if (field === "id") id = value;
      else if (field === "data") data.push(value);
    }
  };
}
