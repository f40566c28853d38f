// The shape of a kind, with its letter: on the page as SVG, in the charts on their canvas.

import { s } from "./dom";
import { KINDS, type Kind, type Shape } from "./markers";

/** Outlines in a box of 16 by 16. */
const OUTLINE: Record<Shape, string> = {
  hexagon: "M8 .8 14.4 4.4v7.2L8 15.2 1.6 11.6V4.4z",
  triangle: "M8 .6 15.6 15H.4z",
  diamond: "M8 .2 15.8 8 8 15.8.2 8z",
  circle: "M8 .8a7.2 7.2 0 1 1 0 14.4A7.2 7.2 0 1 1 8 .8z",
  arrow: "M8 .4 15.4 8H12.4v7.4H3.6V8H.6z",
  square: "M1.6 1.6h12.8v12.8H1.6z",
  check: "M8 .8a7.2 7.2 0 1 1 0 14.4A7.2 7.2 0 1 1 8 .8zM6.9 11.6l5.2-5.9-1.4-1.2-3.9 4.4-1.7-1.6L3.8 8.7z",
  ring: "M8 3.6a4.4 4.4 0 1 1 0 8.8A4.4 4.4 0 1 1 8 3.6z",
};
const paths = new Map<Shape, Path2D>();

export function glyph(kind: Kind, letter = KINDS[kind].letter): SVGElement {
  const { shape } = KINDS[kind];
  const low = shape === "triangle" ? 12.6 : shape === "arrow" ? 11.4 : 11;
  const text =
    kind === "note" || kind === "stable" ? [] : [s("text", { x: 8, y: low, "text-anchor": "middle" }, letter)];
  return s(
    "svg",
    { class: "glyph", "data-kind": kind, viewBox: "0 0 16 16", "aria-hidden": "true" },
    s("path", { d: OUTLINE[shape] }),
    ...text,
  );
}

/** Draws the shape without its letter, `size` pixels wide, its middle at `x`, its top at `y`. */
export function draw(canvas: CanvasRenderingContext2D, kind: Kind, x: number, y: number, size: number): void {
  const { shape } = KINDS[kind];
  let path = paths.get(shape);
  if (path === undefined) paths.set(shape, (path = new Path2D(OUTLINE[shape])));
  canvas.save();
  canvas.translate(x - size / 2, y);
  canvas.scale(size / 16, size / 16);
  canvas.fill(path);
  canvas.restore();
}
