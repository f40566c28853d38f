// What happened, the newest first, warnings in a row of which nothing came in one line; a row moves the charts to its moment.

import { h, keyed, mark, write } from "../dom";
import { count, moment } from "../format";
import { glyph } from "../glyph";
import { markers, story, type Marker } from "../markers";
import { now, type Store } from "../store";

export function log(store: Store, choose: (marker: Marker) => void): HTMLElement {
  const list = h("ol", { class: "log" });
  const none = h("p", { class: "quiet" }, "Nothing yet: warnings, drifts and promotions will stand here.");
  const news = h("p", { class: "sr", role: "status" });
  let told: string | undefined;

  store.subscribe((state, before) => {
    if (state.happenings !== before.happenings || state.truth !== before.truth || state.name !== before.name) {
      const all = story(markers(state.happenings, state.truth)).reverse();
      none.hidden = all.length > 0;
      keyed(
        list,
        all,
        (m) => `${m.key}/${m.at}`,
        (m) => row(m, choose),
        (element, m) => {
          write(element.querySelector(".what")!, m.title);
          write(element.querySelector("time")!, moment(m.at, now(state)));
          write(element.querySelector(".detail")!, m.detail);
        },
      );
      const newest = all.find((m) => m.kind === "drift" || m.kind === "promotion");
      // What stood there when the page was opened is no news.
      if (told !== undefined && newest !== undefined && newest.key !== told)
        write(news, `${newest.title}: ${newest.detail}`);
      told = newest?.key ?? "";
    }
    for (const item of list.children) {
      const chosen = item.getAttribute("data-key")?.split("/")[0] === state.selected;
      mark(item.firstElementChild!, "aria-current", chosen ? "true" : null);
    }
  });
  return h(
    "section",
    { class: "card log-card", "aria-labelledby": "log-title" },
    h("h2", { id: "log-title" }, "Event log"),
    none,
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Events, the newest first" }, list),
    news,
  );
}

function row(marker: Marker, choose: (marker: Marker) => void): HTMLElement {
  const place = marker.version === null ? `event ${count(marker.events)}` : `v ${count(marker.version)}`;
  const button = h(
    "button",
    { type: "button", onclick: () => choose(marker) },
    glyph(marker.kind, marker.letter),
    h("span", { class: "what" }, marker.title),
    h("time", {}),
    h("span", { class: "detail" }, marker.detail),
    h("span", { class: "place" }, place),
  );
  return h("li", {}, button);
}
