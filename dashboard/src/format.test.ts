import { expect, test } from "vitest";
import { ago, bytes, count, duration, figure, millis, percent, short, tally } from "./format";

test("numbers as people read them", () => {
  expect([
    count(12_345.4),
    percent(0.9123),
    percent(0.5, 0),
    figure(0.012345),
    figure(1.1),
    figure(1_234.5),
    figure(0),
  ]).toEqual(["12,345", "91.2 %", "50 %", "0.012", "1.10", "1,235", "0"]);
  expect([short(999), short(1_234), short(5_000_000), tally(99_999), tally(123_456)]).toEqual([
    "999",
    "1.23 k",
    "5 M",
    "99,999",
    "123 k",
  ]);
  expect([millis(0.0213), millis(1.234), millis(3_400), bytes(512), bytes(4_608), bytes(64 * 1024 ** 2)]).toEqual([
    "21.3 µs",
    "1.23 ms",
    "3.4 s",
    "512 B",
    "4.5 KiB",
    "64 MiB",
  ]);
});

test("durations", () => {
  expect([3_240, 12_000, 180_000, 18_000_000, 200_000_000].map(duration)).toEqual([
    "3.2 s",
    "12 s",
    "3 min",
    "5 h",
    "2 d",
  ]);
  expect([ago(200), ago(8_300), ago(61_000)]).toEqual(["just now", "8 s ago", "61 s ago"]);
});

test("what is not known is a dash", () => {
  for (const f of [count, percent, figure, short, tally, millis, bytes, ago])
    expect([f(null), f(undefined), f(Number.NaN)]).toEqual(["–", "–", "–"]);
});
