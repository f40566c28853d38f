// Wires the parts: one store, one link, the panels in their order.

import "uplot/dist/uPlot.min.css";
import "./style.css";
import { chart } from "./chart";
import { h } from "./dom";
import { readHash, writeHash } from "./hash";
import { LiveLink } from "./link";
import type { Marker } from "./markers";
import { accuracy } from "./panels/accuracy";
import { asking } from "./panels/ask";
import { health } from "./panels/health";
import { latency } from "./panels/latency";
import { learners } from "./panels/learners";
import { log } from "./panels/log";
import { loss } from "./panels/loss";
import { members } from "./panels/members";
import { lag, throughput } from "./panels/throughput";
import { timeline } from "./panels/timeline";
import { topbar } from "./panels/topbar";
import { versions } from "./panels/versions";
import { steer } from "./steer";
import { range, Store } from "./store";
import { startTheme } from "./theme";

startTheme();
const calm = matchMedia("(prefers-reduced-motion: reduce)");
/** With reduced motion the page moves once a second, or at once where it was touched. */
let touched = 0;
for (const type of ["pointermove", "keydown", "click"])
  document.addEventListener(type, () => (touched = performance.now()), true);
const store = new Store((run) => {
  const wait = calm.matches && performance.now() - touched > 300 ? 1_000 : 0;
  if (wait > 0) setTimeout(run, wait);
  else requestAnimationFrame(run);
});

const wanted = readHash(location.hash);
if (wanted.model !== null) store.choose(wanted.model);
if (wanted.at !== null) goTo(wanted.at);
const link = new LiveLink(store);

/** The charts show the moment, and the cursor stands on it. */
function goTo(at: number): void {
  const { windowMs } = store.state.view;
  store.set({ view: { windowMs, to: at + windowMs / 2 }, cursor: at });
}

function choose(marker: Marker): void {
  const { state } = store;
  const [from, to] = range(state);
  store.set({ selected: marker.key, cursor: marker.at });
  writeHash({ model: state.name, at: marker.at });
  if (marker.at < from || marker.at > to) {
    goTo(marker.at);
    link.look(store.state.view);
  }
  const charts = document.querySelector(".charts")!;
  const { top } = charts.getBoundingClientRect();
  if (top < 0 || top > innerHeight / 2)
    charts.scrollIntoView({ behavior: calm.matches ? "auto" : "smooth", block: "start" });
}

addEventListener("hashchange", () => {
  const { model, at } = readHash(location.hash);
  if (model !== null) link.choose(model);
  if (at !== null) {
    goTo(at);
    link.look(store.state.view);
  }
});
document.addEventListener("keydown", (event) => {
  if (
    event.target === document.body &&
    event.key.startsWith("Arrow") &&
    event.key !== "ArrowUp" &&
    event.key !== "ArrowDown"
  )
    steer(event, store);
});
let shownName: string | null = null;
store.subscribe((state) => {
  document.title = state.latest?.verdict === "drift" ? "◆ Drift – perennial" : "perennial";
  if (state.name === shownName) return;
  if (shownName !== null) writeHash({ model: state.name, at: null });
  shownName = state.name;
});

const { dialog, ask } = asking(store, link);
const column = h(
  "div",
  { class: "card charts" },
  timeline(store, choose),
  ...[accuracy, loss, throughput, lag, latency].map((spec) => chart(spec, store, link)),
);
document
  .querySelector("#app")!
  .append(
    topbar(store, link),
    h(
      "main",
      {},
      health(store),
      h(
        "div",
        { class: "story" },
        h("section", { "aria-label": "Charts" }, h("h2", { class: "sr" }, "Charts"), column),
        log(store, choose),
      ),
      learners(store, ask),
      members(store),
      versions(store, ask),
    ),
    dialog,
  );
store.set({});
