import { expect, test } from "vitest";
import type { Member, Sample } from "../api";
import { cost, path, sentence, spoken } from "./members";

const member = (name: string, share: number): Member => ({ name, share, weight: share, loss: 0.2, bytes: 1 });

test("names are spoken, the three that count most are named", () => {
  expect(spoken("net_labels_fast")).toBe("net with label lags, fast");
  expect(spoken("hashed_pairs_slow")).toBe("hashed of pairs, slow");
  expect(spoken("rls_change_all")).toBe("least squares on the change, all");
  expect(spoken("knn_short")).toBe("kNN, short");
  const parts = [member("knn", 0.22), member("prior", 0.01), member("net_labels", 0.41), member("newton", 0.3)];
  expect(sentence(parts)).toBe("41 % net with label lags, 30 % newton, 22 % kNN");
});

test("a part over time is a line with gaps where the member was not there", () => {
  const of = (members?: Record<string, number>) => ({ members }) as Sample;
  const samples = [of({ a: 0 }), of({ a: 1 }), of({ b: 1 }), of(), of({ a: 0.5 })];
  expect(path(samples, "a")).toBe("M0.0 21.0L30.0 1.0M120.0 11.0");
  expect(path(samples.slice(4), "a", 0.5)).toBe("M0.0 1.0");
  expect(path([], "a")).toBe("");
});

test("a cost is told in the budget's microseconds", () => {
  expect([cost(undefined), cost(0), cost(2_345), cost(41_500)]).toEqual(["–", "0.0 µs", "2.3 µs", "42 µs"]);
});
