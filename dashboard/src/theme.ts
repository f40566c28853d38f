// Light, dark, or as the system has it.

export type Theme = "system" | "light" | "dark";
const KEY = "perennial-theme";
const ORDER: Theme[] = ["system", "light", "dark"];
const changed: (() => void)[] = [];
const colors = new Map<string, string>();
const probe = document.createElement("span");

export function theme(): Theme {
  const kept = localStorage.getItem(KEY);
  return ORDER.find((t) => t === kept) ?? "system";
}

export function nextTheme(): Theme {
  return ORDER[(ORDER.indexOf(theme()) + 1) % ORDER.length] ?? "system";
}

export function setTheme(wanted: Theme): void {
  if (wanted === "system") localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, wanted);
  apply();
}

export function startTheme(): void {
  probe.hidden = true;
  document.body.append(probe);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);
  apply();
}

function apply(): void {
  const wanted = theme();
  if (wanted === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = wanted;
  colors.clear();
  for (const listener of changed) listener();
}

export function onTheme(listener: () => void): void {
  changed.push(listener);
}

/** What a colour of the style sheet is now, for a canvas: `color("--accent")`. */
export function color(name: string): string {
  let value = colors.get(name);
  if (value === undefined) {
    probe.style.color = `var(${name})`;
    value = getComputedStyle(probe).color;
    colors.set(name, value);
  }
  return value;
}
