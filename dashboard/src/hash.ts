// `#model=M&at=<epoch ms>`: a link that opens the page at a moment.

export interface Place {
  model: string | null;
  at: number | null;
}

export function readHash(hash: string): Place {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  const at = Number(parts.get("at"));
  return { model: parts.get("model"), at: parts.has("at") && Number.isFinite(at) && at > 0 ? at : null };
}

export function hashOf({ model, at }: Place): string {
  const parts = new URLSearchParams();
  if (model !== null) parts.set("model", model);
  if (at !== null) parts.set("at", String(Math.round(at)));
  return `#${parts}`;
}

export function writeHash(place: Place): void {
  history.replaceState(null, "", hashOf(place));
}
