// One row that answers: is it well?

import type { Model, Verdict } from "../api";
import { h, mark, write } from "../dom";
import { ago, count, figure, many, moment, percent, short, tally } from "../format";
import { glyph } from "../glyph";
import type { Kind } from "../markers";
import { now, type State, type Store } from "../store";
import { shown } from "./accuracy";

interface Tile {
  element: HTMLElement;
  label: HTMLElement;
  value: HTMLElement;
  sub: HTMLElement;
}

function tile(id: string, text: string): Tile {
  const label = h("dt", {}, text);
  const value = h("dd", { class: "value" }, "–");
  const sub = h("dd", { class: "sub" });
  return { element: h("div", { class: "tile", id: `health-${id}` }, label, value, sub), label, value, sub };
}

const VERDICTS: Record<Verdict, { text: string; kind: Kind }> = {
  stable: { text: "Stable", kind: "stable" },
  warning: { text: "Warning", kind: "warning" },
  drift: { text: "Drift", kind: "drift" },
};

export function health(store: Store): HTMLElement {
  const quality = tile("accuracy", "Accuracy now");
  const decay = tile("decay", "Decay");
  const lag = tile("lag", "Lag");
  const serving = tile("serving", "Serving version");
  const saved = tile("checkpoint", "Last checkpoint");
  const labels = tile("labels", "Labels awaited");
  const decayText = h("span", {});
  const tiles = [quality, decay, lag, serving, saved, labels];
  const banner = h("p", { class: "banner", role: "status" });
  banner.hidden = true;
  let verdict: Verdict | undefined;

  store.subscribe((state) => {
    const { latest, model } = state;
    showQuality(quality, state);
    const next = latest?.verdict;
    if (next !== undefined && next !== verdict) {
      verdict = next;
      decay.value.replaceChildren(glyph(VERDICTS[next].kind), decayText);
      mark(decay.element, "data-verdict", next);
    }
    if (next !== undefined) write(decayText, VERDICTS[next].text);
    const drifts = state.happenings.filter((x) => typeof x.what === "object" && "drift" in x.what);
    const last = drifts.at(-1);
    write(
      decay.sub,
      last === undefined
        ? "no drift on record"
        : `${many(drifts.length, "drift")}, last ${moment(last.seen_ms, now(state))}`,
    );
    write(lag.value, latest === null ? "–" : tally(latest.lag));
    write(lag.sub, latest === null ? "" : `events waiting, ${count(latest.events_per_second)}/s`);
    showServing(serving, state);
    showCheckpoint(saved, model, state);
    write(labels.value, tally(latest?.waiting ?? model?.labels?.waiting));
    write(labels.sub, labelsText(model));
    const trouble = troubleOf(state);
    banner.hidden = trouble === null;
    write(banner, trouble ?? "");
  });
  return h(
    "section",
    { class: "health", "aria-label": "Health" },
    banner,
    h("dl", { class: "tiles" }, ...tiles.map((t) => t.element)),
  );
}

function showQuality(quality: Tile, state: State): void {
  const classes = state.task === "classification";
  const { latest } = state;
  const own = latest === null ? null : shown(latest.loss[latest.champion], state);
  const baseline = latest === null ? null : shown(latest.baseline, state);
  write(quality.label, classes ? "Accuracy now" : "Mean absolute error now");
  write(quality.value, classes ? percent(own) : figure(own));
  if (own === null || baseline === null) return write(quality.sub, "no baseline yet");
  if (classes) {
    const points = (own - baseline) * 100;
    return write(
      quality.sub,
      `${Math.abs(points).toFixed(1)} points ${points < 0 ? "under" : "over"} baseline ${percent(baseline)}`,
    );
  }
  const less = baseline === 0 ? 0 : 1 - own / baseline;
  write(quality.sub, `${percent(Math.abs(less), 0)} ${less < 0 ? "more" : "less"} than baseline ${figure(baseline)}`);
}

function showServing(serving: Tile, state: State): void {
  const { latest, model } = state;
  const pinned = latest?.pinned ?? (model?.live !== undefined && "pinned" in model.live ? model.live.pinned : null);
  mark(serving.element, "data-pinned", pinned === null ? null : "");
  write(serving.value, latest === null ? "–" : count(pinned ?? latest.version));
  if (latest === null) return write(serving.sub, "");
  write(
    serving.sub,
    pinned === null ? `following ${latest.champion}` : `pinned; learning is at ${count(latest.version)}`,
  );
}

function showCheckpoint(saved: Tile, model: Model | null, state: State): void {
  const version = state.latest?.checkpoint_version ?? model?.checkpoint?.version;
  const at = Date.parse(model?.checkpoint?.at ?? "");
  write(saved.value, Number.isNaN(at) ? "none yet" : ago(Math.max(0, now(state) - at)));
  write(saved.sub, version === undefined || version === null ? "" : `version ${count(version)}`);
}

function labelsText(model: Model | null): string {
  const labels = model?.labels;
  if (labels === undefined) return "";
  const lost: string[] = [];
  if (labels.expired > 0) lost.push(`${short(labels.expired)} expired`);
  if (labels.late > 0) lost.push(`${short(labels.late)} late`);
  if (labels.orphan > 0) lost.push(`${short(labels.orphan)} orphans`);
  if (lost.length > 0) return lost.join(", ");
  return labels.joined > 0 ? `${short(labels.joined)} joined` : "labels come with their events";
}

function troubleOf(state: State): string | null {
  if (state.link === "offline" || state.link === "polling") {
    return `${state.link === "offline" ? "Reconnecting" : "No live stream, asking every 2 s"}: ${state.trouble ?? "the connection ended"}.`;
  }
  if (state.trouble !== null) return state.trouble;
  const { model } = state;
  if (model !== null && !model.ready)
    return `Not ready (${model.phase.replaceAll("_", " ")}): ${model.reasons.join("; ") || "starting"}.`;
  return null;
}
