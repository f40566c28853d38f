// Which model, over what time, live or paused, light or dark.

import { h, keyed, mark, s, write } from "../dom";
import type { LiveLink } from "../link";
import type { Link, State, Store } from "../store";
import { nextTheme, setTheme, theme } from "../theme";

const WINDOWS: [string, string, number][] = [
  ["1m", "1 minute", 60_000],
  ["5m", "5 minutes", 300_000],
  ["30m", "30 minutes", 1_800_000],
  ["6h", "6 hours", 21_600_000],
  ["2d", "2 days", 172_800_000],
  ["30d", "30 days, which is everything kept", 2_592_000_000],
];
const LINKS: Record<Link, string> = {
  connecting: "Connecting",
  live: "Live",
  polling: "Polling",
  offline: "Reconnecting",
  paused: "Paused",
  hidden: "Resting",
};

export function topbar(store: Store, link: LiveLink): HTMLElement {
  const leaf = s(
    "svg",
    { class: "leaf", viewBox: "0 0 32 32", "aria-hidden": "true" },
    s("path", { d: "M16 29V15M16 19C8 19 5 14 4 6c8 1 12 5 12 13zM16 16c0-7 4-11 12-12-1 8-5 12-12 12z" }),
  );
  const select = h("select", { id: "model", onchange: () => link.choose(select.value) });
  const state = h("span", { class: "link", role: "status" });
  const windows = h("div", { class: "segments", role: "group", "aria-label": "Time shown" });
  for (const [label, name, ms] of WINDOWS) {
    const button = h(
      "button",
      { type: "button", title: name, onclick: () => link.look({ windowMs: ms, to: null }) },
      label,
    );
    button.dataset["ms"] = String(ms);
    windows.append(button);
  }
  const back = h(
    "button",
    { type: "button", class: "back", onclick: () => link.look({ windowMs: store.state.view.windowMs, to: null }) },
    "Back to now",
  );
  const pause = h("button", { type: "button", onclick: () => link.pause(!link.isPaused) }, "Pause");
  const toggle = h("button", {
    type: "button",
    onclick: () => {
      setTheme(nextTheme());
      showTheme();
    },
  });
  const showTheme = () => write(toggle, `Theme: ${theme()}`);
  showTheme();

  store.subscribe((now: State) => {
    keyed(
      select,
      now.names,
      (name) => name,
      (name) => h("option", { value: name }, name),
    );
    if (now.name !== null && select.value !== now.name) select.value = now.name;
    select.disabled = now.names.length < 2;
    write(state, LINKS[now.link]);
    mark(state, "data-link", now.link);
    mark(state, "title", now.trouble);
    for (const button of windows.children)
      mark(button, "aria-pressed", String((button as HTMLElement).dataset["ms"] === String(now.view.windowMs)));
    back.hidden = now.view.to === null;
    write(pause, now.link === "paused" ? "Resume" : "Pause");
    mark(pause, "aria-pressed", String(now.link === "paused"));
  });

  return h(
    "header",
    { class: "topbar" },
    h("h1", {}, leaf, "perennial"),
    h("div", { class: "which" }, h("label", { for: "model", class: "sr" }, "Model"), select, state),
    h("div", { class: "controls" }, back, windows, pause, toggle),
  );
}
