// Nothing changes what is served without being asked twice, and without the token where there is one.

import { act, type Action } from "../api";
import { h, write } from "../dom";
import { count } from "../format";
import type { LiveLink } from "../link";
import type { Store } from "../store";

export type Ask = (action: Action) => void;

const TOKEN = "perennial-token";

export function asking(store: Store, link: LiveLink): { dialog: HTMLDialogElement; ask: Ask } {
  let action: Action = { follow: {} };
  const title = h("h2", { id: "ask-title" });
  const text = h("p", { id: "ask-text" });
  const token = h("input", { id: "ask-token", type: "password", autocomplete: "off", spellcheck: "false" });
  const trouble = h("p", { class: "trouble", role: "alert" });
  const cancel = h("button", { type: "button", onclick: () => dialog.close() }, "Cancel");
  const confirm = h("button", { type: "submit", class: "primary" });
  const form = h(
    "form",
    { method: "dialog" },
    title,
    text,
    h("label", { for: "ask-token" }, "Token"),
    token,
    h("p", { class: "hint" }, "The one of the server's token_file, if it has one. Kept in this tab only."),
    trouble,
    h("div", { class: "buttons" }, cancel, confirm),
  );
  const dialog = h("dialog", { "aria-labelledby": "ask-title", "aria-describedby": "ask-text" }, form);

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { name } = store.state;
    if (name === null || confirm.disabled) return;
    confirm.disabled = true;
    write(trouble, "");
    act(name, action, token.value.trim())
      .then(() => {
        sessionStorage.setItem(TOKEN, token.value.trim());
        dialog.close();
        void link.refresh(true);
      })
      .catch((error: unknown) => write(trouble, error instanceof Error ? error.message : String(error)))
      .finally(() => (confirm.disabled = false));
  });

  const ask: Ask = (wanted) => {
    action = wanted;
    const [what, why, verb] = words(wanted);
    write(title, what);
    write(text, why);
    write(confirm, verb);
    write(trouble, "");
    token.value = sessionStorage.getItem(TOKEN) ?? "";
    dialog.showModal();
  };
  return { dialog, ask };
}

function words(action: Action): [string, string, string] {
  if ("rollback" in action) {
    const version = count(action.rollback.version);
    return [
      `Roll back to version ${version}?`,
      `Predictions come from version ${version}, unchanged, until you follow the champion again. Learning goes on.`,
      "Roll back",
    ];
  }
  if ("promote" in action) {
    const { learner } = action.promote;
    return [
      `Promote ${learner}?`,
      `${learner} becomes the champion from the next version on, whatever the evidence says.`,
      "Promote",
    ];
  }
  return ["Follow the champion?", "Predictions come from the newest version of the champion again.", "Follow"];
}
