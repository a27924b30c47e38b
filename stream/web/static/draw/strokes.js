// What is drawn, and how it was drawn: strokes in the order of the pen, with every change to be taken back.

/** The sheet is a square of so many units, whatever its size on the screen; the server's limits are in the same. */
export const SIDE = 1000;
const MOST_STROKES = 500;
const MOST_POINTS = 20000;
const MOST_STROKE_POINTS = 4000;
const LEAST_STEP = 2;

/**
 * @typedef {{id: number, x: number[], y: number[], width: number[], t: number[]}} Stroke
 *   x, y and width in units, t in milliseconds since the drawing was begun.
 */

export class Strokes {
  constructor() {
    /** @type {Stroke[]} */
    this.all = [];
    this.nextId = 0;
    this.history = [];
    this.beganAt = null;
  }

  get isEmpty() {
    return this.all.length === 0;
  }

  get isFull() {
    return this.all.length >= MOST_STROKES || this.all.reduce((sum, { x }) => sum + x.length, 0) >= MOST_POINTS;
  }

  /** Put the pen down; returns the new stroke, or null where the sheet is full. */
  begin(point) {
    if (this.isFull) return null;
    this.beganAt ??= point.at;
    const stroke = { id: this.nextId++, x: [], y: [], width: [], t: [] };
    this.all.push(stroke);
    this.history.push({ added: [stroke], removed: [] });
    this.push(stroke, point);
    return stroke;
  }

  /** Move the pen; false where it has hardly moved, or the stroke has as many points as it may. */
  go(stroke, point) {
    const last = stroke.x.length - 1;
    if (Math.hypot(point.x - stroke.x[last], point.y - stroke.y[last]) < LEAST_STEP) return false;
    if (stroke.x.length >= MOST_STROKE_POINTS) return false;
    this.push(stroke, point);
    return true;
  }

  hasRoom(stroke) {
    return stroke.x.length < MOST_STROKE_POINTS && !this.isFull;
  }

  push(stroke, { x, y, width, at }) {
    stroke.x.push(Math.round(x * 10) / 10);
    stroke.y.push(Math.round(y * 10) / 10);
    stroke.width.push(Math.round(width * 10) / 10);
    stroke.t.push(Math.max(Math.round(at - this.beganAt), stroke.t.at(-1) ?? 0));
  }

  /** Take strokes away; `step` brings those together that one movement of the eraser has met. */
  remove(strokes, step = null) {
    if (!strokes.length) return step;
    this.all = this.all.filter((stroke) => !strokes.includes(stroke));
    if (step) {
      step.removed.push(...strokes);
      return step;
    }
    const entry = { added: [], removed: [...strokes] };
    this.history.push(entry);
    return entry;
  }

  /** Take the last change back; returns what has come and gone by that, or null where nothing is left to take back. */
  undo() {
    const last = this.history.pop();
    if (!last) return null;
    this.all = this.all.filter((stroke) => !last.added.includes(stroke));
    this.all.push(...last.removed);
    this.all.sort((a, b) => a.id - b.id);
    if (this.isEmpty) this.beganAt = null;
    return { gone: last.added, come: last.removed };
  }

  /** A new sheet: nothing on it, and nothing to take back. */
  beginAnew() {
    this.all = [];
    this.history = [];
    this.beganAt = null;
  }

  /** The strokes that a way from one place to another comes close to. */
  near(from, to, reach) {
    return this.all.filter(({ x, y }) =>
      x.some((_, index) => {
        const before = Math.max(index - 1, 0);
        return meets({ x: x[before], y: y[before] }, { x: x[index], y: y[index] }, from, to, reach);
      }),
    );
  }
}

/** Whether two lines come closer than `reach`, or cross. */
function meets(a, b, c, d, reach) {
  const side = (p, q, r) => Math.sign((q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x));
  if (side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0) return true;
  return Math.min(distance(a, c, d), distance(b, c, d), distance(c, a, b), distance(d, a, b)) <= reach;
}

/** From a place to the nearest of a line's. */
function distance(place, from, to) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = dx * dx + dy * dy;
  const along = length ? ((place.x - from.x) * dx + (place.y - from.y) * dy) / length : 0;
  const t = Math.min(Math.max(along, 0), 1);
  return Math.hypot(place.x - from.x - t * dx, place.y - from.y - t * dy);
}
