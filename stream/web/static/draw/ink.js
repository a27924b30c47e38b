// Paints strokes: on the sheet, on the cards of the gallery, and for pictures to download.

import { SIDE } from "./strokes.js";

/**
 * Paint a stroke from one of its points on, as a smooth line through the middles between its points.
 * @param {CanvasRenderingContext2D} context whose units are those of the sheet
 * @param {import("./strokes.js").Stroke} stroke
 * @param {number} first the first point that is new
 * @param {number} boldness how many times as wide as it was drawn
 */
export function paintStroke(context, { x, y, width }, first = 0, boldness = 1) {
  context.lineCap = "round";
  context.lineJoin = "round";
  const last = x.length - 1;
  const middle = (index) => [(x[index - 1] + x[index]) / 2, (y[index - 1] + y[index]) / 2];
  for (let index = Math.max(first, 1); index <= last; index++) {
    context.lineWidth = boldness * width[index];
    context.beginPath();
    if (index === 1) context.moveTo(x[0], y[0]);
    else context.moveTo(...middle(index - 1));
    context.quadraticCurveTo(x[index - 1], y[index - 1], ...middle(index));
    context.stroke();
  }
  context.lineWidth = boldness * width[last];
  context.beginPath();
  context.moveTo(...(last ? middle(last) : [x[0], y[0]]));
  context.lineTo(x[last], y[last]);
  context.stroke();
}

/** Fit a canvas to its size on the screen, pixel by pixel; returns its context in units of the sheet. */
export function fitted(canvas) {
  const side = Math.max(1, Math.round(canvas.clientWidth * devicePixelRatio));
  if (canvas.width !== side || canvas.height !== side) canvas.width = canvas.height = side;
  const context = canvas.getContext("2d");
  context.setTransform(side / SIDE, 0, 0, side / SIDE, 0, 0);
  return context;
}

/** Paint a whole drawing in the colours that the style sheet gives the canvas; bolder where it is small. */
export function paint(canvas, strokes, boldness = 1) {
  const context = fitted(canvas);
  context.clearRect(0, 0, SIDE, SIDE);
  context.strokeStyle = getComputedStyle(canvas).color;
  for (const stroke of strokes) paintStroke(context, stroke, 0, boldness);
}

/** A drawing as a PNG of so many pixels a side, black on white whatever the page's colours are. */
export function asPng(strokes, side = 1024) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, side, side);
  context.scale(side / SIDE, side / SIDE);
  context.strokeStyle = "#000";
  for (const stroke of strokes) paintStroke(context, stroke);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}
