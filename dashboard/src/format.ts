// Numbers and times as people read them.

const DASH = "–";
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const clock = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hour12: false,
});
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

type Maybe = number | null | undefined;
const known = (value: Maybe): value is number => typeof value === "number" && Number.isFinite(value);

/** 12345 → "12,345". */
export const count = (value: Maybe) => (known(value) ? whole.format(value) : DASH);

/** 0.9123 → "91.2 %". */
export const percent = (value: Maybe, digits = 1) => (known(value) ? `${(value * 100).toFixed(digits)} %` : DASH);

/** A loss, with as many digits as tell: 0.0901 → "0.090", 1.1 → "1.10", 1234.5 → "1,235". */
export function figure(value: Maybe): string {
  if (!known(value)) return DASH;
  const size = Math.abs(value);
  if (size >= 1_000) return whole.format(value);
  if (size === 0) return "0";
  if (size < 0.0001) return value.toExponential(1);
  return value.toFixed(size >= 100 ? 1 : size >= 1 ? 2 : size >= 0.01 ? 3 : 5);
}

/** Whole up to 99,999, then short. */
export const tally = (value: Maybe) => (known(value) && Math.abs(value) < 100_000 ? count(value) : short(value));

/** 1234 → "1.23 k", for axes and rates. */
export function short(value: Maybe): string {
  if (!known(value)) return DASH;
  const size = Math.abs(value);
  for (const [unit, sign] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const) {
    if (size >= unit) return `${Number((value / unit).toPrecision(3))} ${sign}`;
  }
  return Number(value.toPrecision(3)).toString();
}

/** Milliseconds → "320 µs", "1.2 ms", "3.4 s". */
export function millis(value: Maybe): string {
  if (!known(value)) return DASH;
  if (value === 0) return "0 ms";
  if (value < 1) return `${Number((value * 1_000).toPrecision(3))} µs`;
  if (value < 1_000) return `${Number(value.toPrecision(3))} ms`;
  return `${Number((value / 1_000).toPrecision(3))} s`;
}

/** Bytes in binary units. */
export function bytes(value: Maybe): string {
  if (!known(value)) return DASH;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let size = value;
  let unit = 0;
  while (size >= 1_024 && unit < units.length - 1) {
    size /= 1_024;
    unit += 1;
  }
  return `${unit === 0 ? size : size.toFixed(size < 10 ? 1 : 0)} ${units[unit]}`;
}

/** Time of the day. */
export const time = (ms: Maybe) => (known(ms) ? clock.format(ms) : DASH);

/** Time of the day; with the date if it is not today (`now`). */
export function moment(ms: Maybe, now: number): string {
  if (!known(ms)) return DASH;
  return day.format(ms) === day.format(now) ? clock.format(ms) : `${day.format(ms)}, ${clock.format(ms)}`;
}

/** A duration in words: "just now", "12 s ago", "3 min ago". */
export function ago(ms: Maybe): string {
  if (!known(ms)) return DASH;
  if (ms < 1_500) return "just now";
  return `${duration(ms < 10_000 ? Math.round(ms / 1_000) * 1_000 : ms)} ago`;
}

/** A duration: "3.2 s", "12 s", "3 min", "5 h", "2 d". */
export function duration(ms: number): string {
  const seconds = ms / 1_000;
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129_600) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** "1 drift", "3 drifts". */
export const many = (n: number, one: string, more = `${one}s`) => `${count(n)} ${n === 1 ? one : more}`;
