// Keeps the store up to date: a stream while the page is looked at, polling where there is none, nothing while hidden.

import * as api from "./api";
import { Store, now, stepFor, type View } from "./store";

const POLL_MS = 2_000;
const BACK_OFF_MS = { first: 500, most: 8_000 };
const VERSIONS_EVERY = 5;
const DAY_MS = 86_400_000;
/** Times a history is asked for again, finer. */
const CLOSER = 3;

export class LiveLink {
  private attempt = new AbortController();
  private lastId: string | undefined;
  private paused = false;
  private turns = 0;
  private wake: () => void = () => {};

  constructor(private readonly store: Store) {
    document.addEventListener("visibilitychange", () => this.restart());
    setInterval(() => void this.refresh(), POLL_MS);
    void this.run();
  }

  /** The models are asked for, then the chosen one is followed for as long as the page lives. */
  private async run(): Promise<never> {
    let failures = 0;
    for (;;) {
      const idle = this.idle();
      if (idle !== null) {
        this.store.set({ link: idle, trouble: null });
        await this.sleep(Number.POSITIVE_INFINITY);
        failures = 0;
        continue;
      }
      this.attempt = new AbortController();
      const { signal } = this.attempt;
      let polling = false;
      try {
        await this.find();
        const { name } = this.store.state;
        if (name === null) throw new api.Problem(0, "no model is configured");
        let loaded: Promise<void> = Promise.resolve();
        await api.stream(
          name,
          this.lastId,
          signal,
          (event) => this.take(name, event),
          () => {
            failures = 0;
            loaded = this.loadAll(name).then(
              () => this.store.set({ link: "live", trouble: null }),
              (error: unknown) => this.store.set({ trouble: words(error) }),
            );
          },
        );
        await loaded;
      } catch (error) {
        if (!signal.aborted) {
          polling = await this.poll();
          this.store.set(
            polling ? { link: "polling", trouble: words(error) } : { link: "offline", trouble: words(error) },
          );
        }
      }
      if (signal.aborted) continue;
      failures += 1;
      if (!polling) {
        this.store.set({ link: "offline" });
        // It may come back as another one, which counts anew.
        this.lastId = undefined;
      }
      const wait = Math.min(BACK_OFF_MS.first * 2 ** Math.min(failures - 1, 10), BACK_OFF_MS.most);
      await this.sleep(polling ? POLL_MS : wait);
    }
  }

  private idle(): "paused" | "hidden" | null {
    if (this.paused) return "paused";
    return document.hidden ? "hidden" : null;
  }

  private async find(): Promise<void> {
    const { models, skew } = await api.models();
    const names = models.map((m) => m.name);
    const { name } = this.store.state;
    this.store.set({ names, skewMs: skew });
    if (name === null || !names.includes(name)) {
      const first = names[0];
      if (first !== undefined) this.store.choose(first);
    }
  }

  private take(name: string, event: api.StreamEvent): void {
    if (event.data.model !== name || name !== this.store.state.name) return;
    this.lastId = event.id || this.lastId;
    if (event.type === "sample") this.store.sample(event.data);
    else if (event.type === "truth") this.store.known(event.data);
    else {
      this.store.happening(event.data);
      void this.refresh(true);
    }
  }

  private async loadAll(name: string): Promise<void> {
    // One point is enough: this is for the marks, of which the history of a view has only its own.
    const [model, versions, marks] = await Promise.all([
      api.model(name),
      api.versions(name),
      api.history(name, { from: 0, step: DAY_MS }),
    ]);
    if (name !== this.store.state.name) return;
    this.store.set({ model, versions });
    this.store.remember(marks);
    await this.loadView(name);
  }

  private async loadView(name: string): Promise<void> {
    const { state } = this.store;
    const { windowMs, to } = state.view;
    const until = to ?? now(state);
    let from = until - windowMs;
    let history: api.History;
    for (let closer = 0; ; closer += 1) {
      history = await api.history(name, { from, step: stepFor(until - from), ...(to === null ? {} : { to }) });
      // A model younger than the window has its few samples all at the end: look closer there.
      const first = (history.samples[0]?.at_ms ?? from) - history.step_ms;
      if (closer === CLOSER || first - from < (until - from) / 2) break;
      from = first;
    }
    if (name === this.store.state.name && state.view === this.store.state.view) this.store.load(history);
  }

  private async poll(): Promise<boolean> {
    const { name } = this.store.state;
    if (name === null) return false;
    return this.loadAll(name).then(
      () => true,
      () => false,
    );
  }

  /** What the stream does not carry: how the learners stand, which versions are kept. */
  async refresh(all = false): Promise<void> {
    const { name, link } = this.store.state;
    if (name === null || (link !== "live" && !all)) return;
    this.turns += 1;
    try {
      const model = await api.model(name);
      const versions = all || this.turns % VERSIONS_EVERY === 0 ? await api.versions(name) : undefined;
      if (name === this.store.state.name) this.store.set(versions === undefined ? { model } : { model, versions });
    } catch {
      // The stream notices a server that is gone.
    }
  }

  /** Shows another stretch of time. */
  look(view: View): void {
    this.store.set({ view });
    const { name } = this.store.state;
    if (name !== null) this.loadView(name).catch((error: unknown) => this.store.set({ trouble: words(error) }));
  }

  choose(name: string): void {
    if (name === this.store.state.name) return;
    this.lastId = undefined;
    this.store.choose(name);
    this.restart();
  }

  get isPaused(): boolean {
    return this.paused;
  }

  pause(paused: boolean): void {
    this.paused = paused;
    this.restart();
  }

  private restart(): void {
    this.attempt.abort();
    this.wake();
  }

  private sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = Number.isFinite(ms) ? setTimeout(resolve, ms) : undefined;
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function words(error: unknown): string {
  if (error instanceof api.Problem) return error.message;
  return error instanceof DOMException && error.name === "TimeoutError"
    ? "the server does not answer"
    : "the server cannot be reached";
}
