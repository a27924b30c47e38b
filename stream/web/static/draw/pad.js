// The sheet under the pen: mouse, pen or finger become strokes, or erase them.

import { fitted, paint, paintStroke } from "./ink.js";
import { SIDE, Strokes } from "./strokes.js";

const PEN_WIDTH = 9;
const ERASER_REACH = 14;
const ERASER_BUTTON = 32;

export class Pad {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{points: function(object, number), removed: function(object[]), restored: function(object[]), full: function()}} tell
   *   of points (a stroke has grown; when the oldest of them was made), of strokes that are gone, or have come back
   */
  constructor(canvas, tell) {
    this.canvas = canvas;
    this.tell = tell;
    this.strokes = new Strokes();
    this.isErasing = false;
    this.isLocked = false;
    this.pointer = null;
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, (event) => event.pointerId === this.pointer && this.lift());
    }
    new ResizeObserver(() => this.paint()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
  }

  paint() {
    paint(this.canvas, this.strokes.all);
  }

  /** Let nobody draw, as between two rounds, or let them again. */
  lock(isLocked) {
    this.isLocked = isLocked;
    this.lift();
  }

  beginAnew() {
    this.lift();
    this.strokes.beginAnew();
    this.paint();
  }

  undo() {
    this.lift();
    const step = this.isLocked ? null : this.strokes.undo();
    if (!step) return;
    this.paint();
    if (step.gone.length) this.tell.removed(step.gone);
    if (step.come.length) this.tell.restored(step.come);
  }

  clear() {
    this.lift();
    if (this.isLocked || this.strokes.isEmpty) return;
    const gone = this.strokes.all;
    this.strokes.remove(gone);
    this.paint();
    this.tell.removed(gone);
  }

  down(event) {
    if (this.isLocked || this.pointer !== null || (event.button !== 0 && event.button !== 5)) return;
    this.pointer = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
    this.stroke = null;
    this.step = null;
    // A pen that is turned round erases.
    this.isRubber = this.isErasing || (event.buttons & ERASER_BUTTON) !== 0;
    this.last = this.place(event);
    if (this.isRubber) this.rub(this.last);
    else this.draw([event]);
  }

  move(event) {
    if (event.pointerId !== this.pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    if (this.isRubber) this.rub(this.place(event));
    else this.draw(events.length ? events : [event]);
  }

  lift() {
    if (this.pointer === null) return;
    this.pointer = null;
    this.paint();
  }

  draw(events) {
    for (const event of events) {
      const place = this.place(event);
      const isOnSheet = place.x >= 0 && place.y >= 0 && place.x <= SIDE && place.y <= SIDE;
      // Beyond the edge there is nothing to draw on: a stroke ends there, and another begins where the pen comes back.
      if (!isOnSheet) this.stroke = null;
      else this.grow(place);
    }
  }

  grow(place) {
    if (this.stroke && !this.strokes.hasRoom(this.stroke)) this.stroke = null;
    const before = this.stroke?.x.length ?? 0;
    if (!this.stroke) {
      this.stroke = this.strokes.begin(place);
      if (!this.stroke) {
        this.lift();
        this.tell.full();
        return;
      }
    } else if (!this.strokes.go(this.stroke, place)) {
      return;
    }
    const context = fitted(this.canvas);
    context.strokeStyle = getComputedStyle(this.canvas).color;
    paintStroke(context, this.stroke, before);
    this.tell.points(this.stroke, place.at);
  }

  rub(place) {
    const met = this.strokes.near(this.last, place, ERASER_REACH);
    this.last = place;
    if (!met.length) return;
    this.step = this.strokes.remove(met, this.step);
    this.paint();
    this.tell.removed(met);
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    // Only pens know how hard they are pressed; others report a half, or nothing.
    const force = event.pointerType === "pen" ? 0.4 + 1.2 * event.pressure : 1;
    return {
      x: ((event.clientX - box.left) / box.width) * SIDE,
      y: ((event.clientY - box.top) / box.height) * SIDE,
      width: PEN_WIDTH * force,
      at: event.timeStamp,
    };
  }
}
