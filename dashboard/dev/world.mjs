// A made-up model that loses its way now and then, in the shapes of the real endpoints: for working on the page alone.

const STEP_MS = 250;
const PERIOD_S = 45;
const NEEDED = 6.9;
const SPEC = ["hoeffding_tree", "naive_bayes", "linear"];

/** The loss `s` seconds behind a change: high at first, then learned away (or not, before a promotion). */
const recover = (s, floor, tall, tau) => floor + tall * Math.exp(-s / tau);

export class World {
  constructor(name, task, past_s, now = Date.now()) {
    Object.assign(this, { name, task, samples: [], happenings: [], truth: [], versions: [], pinned: null });
    Object.assign(this, {
      version: 0,
      events: 0,
      born: now - past_s * 1000,
      seed: name.length * 7919,
      seen: 0,
      changes: 0,
    });
    this.scale = task === "classification" ? 1 : 8;
    this.learners = [
      { learner: "hoeffding_tree", role: "champion", since: 0, drifts: 0, incident: null, evidence: null },
      { learner: "no_change", role: "baseline", since: 0, drifts: 0, incident: null, evidence: null },
    ];
    this.state = "stable";
    for (let at = this.born; at < now; at += STEP_MS) this.step(at);
  }

  random() {
    this.seed = (Math.imul(this.seed, 1664525) + 1013904223) >>> 0;
    return this.seed / 2 ** 32;
  }

  note(at, what) {
    const happening = {
      number: this.happenings.length + 1,
      version: this.version,
      events: this.events,
      at,
      seen_ms: at,
      what,
    };
    this.happenings.push(happening);
    this.fresh?.push({ type: "happening", data: happening });
  }

  champion() {
    return this.learners.find((l) => l.role === "champion");
  }

  /** A quarter of a second passes. */
  step(at) {
    this.fresh = [];
    const s = (at - this.born) / 1000;
    const rate = 1500 + 120 * Math.sin(s / 9) + 160 * (this.random() - 0.5);
    this.events += Math.round((rate * STEP_MS) / 1000);
    this.version = this.events + this.happenings.length;
    const phase = s % PERIOD_S;
    const round = Math.floor(s / PERIOD_S);
    this.story(at, phase, round);
    const noise = () => (this.random() - 0.5) * 0.012 * this.scale;
    const old = round === 0 ? recover(s, 0.09, 0.35, 3) : recover(phase, 0.2, 0.22, 9);
    const young = recover(phase, 0.075, 0.34, 2.6);
    const loss = {};
    for (const l of this.learners) {
      const base =
        l.role === "baseline"
          ? 0.42
          : l.round === round && round > 0
            ? young
            : phase > 12 && l.role === "champion"
              ? young
              : old;
      l.loss = Math.max(0, base * this.scale + noise());
      l.best = Math.min(l.best ?? Infinity, l.loss);
      loss[l.learner] = l.loss;
      if (l.role === "challenger" && l.evidence) {
        l.evidence = {
          log_e: Math.max(-1, (phase - 3.5) * 1.3),
          epoch: 1,
          events: Math.round((phase - 2) * 1500),
          gain: 0.12,
        };
      }
    }
    const champion = this.champion();
    const stale = this.pinned === null ? 0 : 0.08 * this.scale;
    const busy = 40 + 30 * Math.sin(s / 5) ** 2;
    const sample = {
      at_ms: at,
      version: this.version,
      events: this.events,
      lag: Math.round(Math.max(0, 20 + 900 * Math.max(0, Math.sin(s / 13)) ** 12 + 30 * this.random())),
      events_per_second: rate,
      requests_per_second: busy,
      predict_p50_ms: 0.021 + 0.004 * this.random(),
      predict_p99_ms: 0.08 + 0.05 * this.random() + (this.random() < 0.03 ? 0.3 : 0),
      loss,
      members: this.members(s),
      best: champion.best,
      baseline: loss.no_change,
      served: s < 8 ? null : champion.loss + stale + noise(),
      verdict: this.state,
      champion: champion.learner,
      pinned: this.pinned,
      checkpoint_version: this.versions[0]?.version ?? null,
      waiting: Math.round(1200 + 300 * Math.sin(s / 17)),
    };
    if (Math.floor(s / 10) !== Math.floor((s - STEP_MS / 1000) / 10)) this.save(at);
    this.samples.push(sample);
    this.fresh.push({ type: "sample", data: sample });
    return this.fresh;
  }

  /** What the champion's members count for, and the inputs. */
  members(s) {
    const sizes = {
      net_labels: 3 + Math.sin(s / 20),
      knn: 2 + Math.sin(s / 7),
      newton: 1.4,
      softmax_labels: 0.8 + 0.3 * Math.sin(s / 11),
      label_chain: 0.4,
      prior: 0.05,
    };
    const sum = Object.values(sizes).reduce((a, b) => a + b);
    return Object.fromEntries(Object.entries(sizes).map(([name, size]) => [name, size / sum]));
  }

  story(at, phase, round) {
    const due = (when) => round > 0 && this.done !== `${round}/${when}` && phase >= when && phase < when + 2;
    const did = (when) => (this.done = `${round}/${when}`);
    const { learner } = this.champion();
    if (due(0)) {
      did(0);
      const change = { at_event: this.events, at_ms: at, kind: round % 3 === 0 ? "gradual" : "abrupt" };
      this.truth.push(change);
      this.fresh.push({ type: "truth", data: change });
    } else if (due(2)) {
      did(2);
      this.state = "warning";
      this.note(at, { warning: { learner } });
      const name = SPEC[round % SPEC.length];
      const again = 1 + this.learners.concat(this.gone ?? []).filter((l) => l.learner.startsWith(name)).length;
      const challenger = again === 1 ? name : `${name}#${again}`;
      this.learners.splice(1, 0, {
        learner: challenger,
        role: "challenger",
        since: this.version,
        drifts: 0,
        incident: null,
        evidence: { log_e: 0, epoch: 1, events: 0, gain: 0 },
        round,
      });
      this.note(at, { challenger: { learner: challenger } });
    } else if (due(4)) {
      did(4);
      this.state = "drift";
      const champion = this.champion();
      champion.drifts += 1;
      champion.incident = {
        number: champion.drifts,
        at: this.events,
        onset: this.events - 3000,
        before: 0.09,
        after: 0.36,
        escalations: 0,
        end: null,
      };
      this.note(at, { drift: { learner, incident: champion.incident } });
    } else if (due(9)) {
      did(9);
      const to = this.learners.find((l) => l.role === "challenger");
      if (to) this.promote(at, to.learner, to.evidence);
    } else if (due(14)) {
      did(14);
      this.note(at, { effect: { learner, before: 0.09, at: 0.29, after: 0.081, recovered_after: 1240 } });
    }
  }

  promote(at, name, evidence) {
    const [from, to] = [this.champion(), this.learners.find((l) => l.learner === name)];
    this.gone = [...(this.gone ?? []), from];
    this.learners = [
      { ...to, role: "champion", evidence: null, round: to.round },
      ...this.learners.filter((l) => l !== from && l !== to),
    ];
    this.state = "stable";
    this.note(at, { promotion: { from: from.learner, to: name, evidence } });
  }

  save(at) {
    const hash = Array.from({ length: 64 }, () => "0123456789abcdef"[Math.floor(this.random() * 16)]).join("");
    this.versions.unshift({
      version: this.version,
      state_hash: hash,
      at: new Date(at).toISOString(),
      events: this.events,
      learner: this.champion().learner,
      bytes: 480_000 + this.versions.length * 900,
    });
    this.versions = this.versions.filter((v, i) => i < 6 || v.version === this.pinned);
  }

  live() {
    return this.pinned === null ? { follow: this.champion().learner } : { pinned: this.pinned };
  }

  view() {
    const { loss } = this.samples.at(-1);
    const scores = this.learners.map((l) => ({
      learner: l.learner,
      role: l.role,
      since: l.since,
      rolling_loss: l.loss ?? null,
      fading_loss: l.loss ?? null,
      best_loss: l.best ?? null,
      baseline_loss: loss.no_change,
      ...(this.task === "classification" ? { accuracy: 0.9 } : { mae: 0.7 }),
      verdict: l.role === "champion" ? this.state : "stable",
      drifts: l.drifts,
      incident: l.incident,
      evidence: l.evidence,
      evidence_needed: l.role === "challenger" ? NEEDED : null,
      bytes: 120_000 + l.learner.length * 3_000,
      ...(l.role === "champion" ? this.explained() : {}),
    }));
    const newest = this.versions[0];
    return {
      name: this.name,
      phase: "live",
      ready: true,
      reasons: [],
      lag: [{ topic: "events", partition: 0, messages: this.samples.at(-1).lag }],
      checkpoint: newest && { version: newest.version, state_hash: newest.state_hash, at: newest.at },
      task: this.task,
      learner: this.champion().learner,
      version: this.version,
      served_version: this.pinned ?? this.version,
      events: this.events,
      model_age_ms: 80,
      scores,
      happenings: this.happenings.slice(-256),
      live: this.live(),
      labels: {
        waiting: this.samples.at(-1).waiting,
        joined: this.events,
        expired: 3,
        early: 12,
        late: 1,
        duplicate: 0,
        changed: 0,
        orphan: 0,
      },
    };
  }

  explained() {
    const members = Object.entries(this.samples.at(-1).members).map(([name, share], i) => {
      return { name, share, weight: i % 2 ? -share : share, loss: 0.17 + 0.05 * i, bytes: 4_000 * (i + 1) };
    });
    members.push({ name: "sparse", share: 0, weight: 0.05, bytes: 0 });
    const inputs = ["nswprice", "nswdemand", "period", "(past)", "transfer", "vicprice"].map((input, i) => {
      return { input, share: 2 ** -(i + 1) };
    });
    return { members, inputs };
  }

  history(from, to = Date.now(), wanted = 0) {
    from ??= to - 3_600_000;
    const step = Math.max(1, Math.ceil(Math.max(wanted, (to - from) / 2_000) / 1_000)) * 1_000;
    const bins = new Map();
    for (const sample of this.samples)
      if (sample.at_ms >= from && sample.at_ms <= to) bins.set(Math.floor(sample.at_ms / step), sample);
    const within = (ms) => ms >= from && ms <= to;
    return {
      model: this.name,
      task: this.task,
      from,
      to,
      step_ms: step,
      samples: [...bins.values()].slice(-4000),
      happenings: this.happenings.filter((h) => within(h.seen_ms)),
      truth: this.truth.filter((t) => within(t.at_ms)),
    };
  }
}
