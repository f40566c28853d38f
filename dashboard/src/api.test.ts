import { expect, test } from "vitest";
import { parser, type StreamEvent } from "./api";
import { hashOf, readHash } from "./hash";

test("a stream cut into pieces anywhere gives the same events", () => {
  const text =
    ': hello\n\nid: 7\nevent: sample\ndata: {"model":"m",\ndata: "version":1}\n\nevent: other\ndata: {}\n\nid: 8\r\nevent: happening\r\ndata: {"number":2}\r\n\r\nevent: sample\ndata: {"cut":';
  for (let size = 1; size <= text.length; size += 1) {
    const seen: StreamEvent[] = [];
    const parse = parser((event) => seen.push(event));
    for (let at = 0; at < text.length; at += size) parse(text.slice(at, at + size));
    expect(seen).toEqual([
      { type: "sample", id: "7", data: { model: "m", version: 1 } },
      { type: "happening", id: "8", data: { number: 2 } },
    ]);
  }
});

test("a place in the address comes back", () => {
  const place = { model: "air & sea", at: 1_700_000_000_123 };
  expect(readHash(hashOf(place))).toEqual(place);
  expect(readHash("")).toEqual({ model: null, at: null });
  expect(readHash("#model=a&at=soon")).toEqual({ model: "a", at: null });
});
