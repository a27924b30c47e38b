// Small graphs of the last minute, one a figure, with their words for those who do not see them.

import { number, text } from "./texts.js";

const SECONDS = 60;
const HEIGHT_PX = 56;
const AIR_PX = 4;

/** One figure over the last minute; a second without it is a gap. */
export class Trace {
  /**
   * @param {HTMLElement} root is given the graph
   * @param {string} key of its name
   * @param {function(number): string} inWords a value with its unit
   */
  constructor(root, key, inWords) {
    this.key = key;
    this.inWords = inWords;
    this.values = [];
    this.figure = document.getElementById("trace").content.cloneNode(true).firstElementChild;
    this.figure.dataset.trace = key;
    this.canvas = this.figure.querySelector("canvas");
    root.append(this.figure);
  }

  /** Take the value of another second; null where there is none. */
  add(value) {
    this.values = [...this.values, Number.isFinite(value) ? value : null].slice(-SECONDS);
  }

  show() {
    const known = this.values.filter((value) => value !== null);
    const now = this.values.at(-1) ?? null;
    const nowInWords = now === null ? text("unknown") : this.inWords(now);
    this.figure.querySelector(".name").textContent = text(this.key);
    this.figure.querySelector(".now").textContent = nowInWords;
    const [least, most] = known.length ? [Math.min(...known), Math.max(...known)] : [null, null];
    const range = known.length ? text("range", { least: number(least), most: number(most) }) : "";
    this.figure.querySelector(".range").textContent = range;
    this.canvas.setAttribute("aria-label", `${text("lastMinute", { name: text(this.key) })}: ${nowInWords}; ${range}`);
    this.draw(most ?? 0);
  }

  /** From nothing at the bottom to a little more than the most at the top; the newest at the right. */
  draw(most) {
    const ratio = devicePixelRatio;
    const width = this.canvas.clientWidth;
    [this.canvas.width, this.canvas.height] = [Math.round(width * ratio), Math.round(HEIGHT_PX * ratio)];
    const context = this.canvas.getContext("2d");
    context.scale(ratio, ratio);
    const style = getComputedStyle(this.canvas);
    const floor = HEIGHT_PX - AIR_PX;
    const x = (index) => width - AIR_PX - ((this.values.length - 1 - index) * (width - 2 * AIR_PX)) / (SECONDS - 1);
    const y = (value) => floor - (value / (most || 1)) * (floor - AIR_PX);
    context.strokeStyle = style.getPropertyValue("--line");
    for (const level of [floor, (floor + AIR_PX) / 2, AIR_PX]) line(context, [[AIR_PX, level], [width - AIR_PX, level]]);
    context.strokeStyle = style.getPropertyValue("--accent");
    context.fillStyle = style.getPropertyValue("--accent");
    for (const run of runs(this.values)) {
      const points = run.map((index) => [x(index), y(this.values[index])]);
      context.globalAlpha = 0.15;
      context.fill(polygon([[points[0][0], floor], ...points, [points.at(-1)[0], floor]]));
      context.globalAlpha = 1;
      context.lineWidth = 2;
      context.lineJoin = "round";
      line(context, points);
    }
    if (this.values.at(-1) !== null && this.values.length) {
      context.beginPath();
      context.arc(x(this.values.length - 1), y(this.values.at(-1)), 3, 0, 2 * Math.PI);
      context.fill();
    }
  }
}

/** The indices of values that are known, in unbroken runs. */
function runs(values) {
  const found = [];
  values.forEach((value, index) => {
    if (value === null) return;
    if (index && values[index - 1] !== null) found.at(-1).push(index);
    else found.push([index]);
  });
  return found;
}

function polygon(points) {
  const path = new Path2D();
  points.forEach(([x, y], index) => path[index ? "lineTo" : "moveTo"](x, y));
  return path;
}

function line(context, points) {
  context.stroke(polygon(points));
}
