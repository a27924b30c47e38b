// The canvas over a video: draws what models see on the frame that is shown, and lets a viewer choose what stands out.

import { paint } from "./painter.js";
import { pictureArea, pointedAt } from "./pointing.js";
import { thingAt, thingsOf } from "./scene.js";

export class Overlay {
  /**
   * @param {HTMLElement} screen holds the video and the canvas
   * @param {import("./shown_frame.js").ShownFrame} frame
   * @param {function(string | null)} onHover told which class the pointer is on
   */
  constructor(screen, frame, onHover) {
    this.video = screen.querySelector("video");
    this.canvas = screen.querySelector("canvas");
    this.frame = frame;
    this.onHover = onHover;
    this.legends = new Map();
    /** The least score, by model. */
    this.thresholds = new Map();
    this.isolated = null;
    this.highlighted = null;
    this.pointer = null;
    this.things = [];
    this.drawn = null;
    this.isOn = false;
    this.request = 0;
    screen.addEventListener("pointermove", (event) => this.point(event));
    screen.addEventListener("pointerdown", (event) => this.point(event));
    // A finger that is lifted leaves what it has touched highlighted.
    screen.addEventListener("pointerleave", (event) => event.pointerType === "touch" || this.point(null));
    new ResizeObserver(() => this.drawSoon()).observe(screen);
  }

  turn(isOn) {
    this.isOn = isOn;
    this.canvas.hidden = !isOn;
    this.pointer = null;
    this.draw();
  }

  /** Take how classes are coloured and joints joined, as the server says. */
  setLegends(legends) {
    this.legends = new Map(legends.map((legend) => [legend.model, legend]));
    this.drawn = null;
    this.drawSoon();
  }

  setThreshold(model, least) {
    this.thresholds.set(model, least);
    this.drawSoon();
  }

  /** Show one class alone; null shows all. */
  isolate(key) {
    this.isolated = key;
    this.drawSoon();
  }

  /** Let one class stand out; null lets all be alike. */
  highlight(key) {
    this.highlighted = key;
    this.drawSoon();
  }

  /** The things of the frame that is shown, without those below their model's threshold. */
  visible() {
    return this.things.filter(({ model, score }) => score === null || score >= (this.thresholds.get(model) ?? 0));
  }

  draw() {
    const context = this.canvas.getContext("2d");
    const area = pictureArea(this.video);
    const ratio = devicePixelRatio;
    const bounds = this.video.getBoundingClientRect();
    const [width, height] = [bounds.width, bounds.height].map((side) => Math.round(side * ratio));
    if (this.canvas.width !== width || this.canvas.height !== height) {
      [this.canvas.width, this.canvas.height] = [width, height];
    }
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    if (!this.isOn || !area) return;
    this.look();
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const visible = this.visible().filter(({ key }) => this.isolated === null || key === this.isolated);
    const hovered = this.hover(visible);
    const isStrong = (thing) =>
      hovered ? thing === hovered : this.highlighted === null || thing.key === this.highlighted;
    const isAlone = this.isolated !== null;
    paint(context, visible, area, { isStrong: isAlone && !hovered ? () => true : isStrong, isAlone });
  }

  drawSoon() {
    this.request ||= requestAnimationFrame(() => {
      this.request = 0;
      this.draw();
    });
  }

  /** Read the message of the frame that is shown, once. */
  look() {
    const message = this.frame.shown;
    if (this.drawn === message && message !== null) return;
    this.drawn = message;
    this.things = thingsOf(message, this.legends, { width: this.video.videoWidth, height: this.video.videoHeight });
  }

  point(event) {
    if (!this.isOn) return;
    this.pointer = event && { clientX: event.clientX, clientY: event.clientY };
    this.drawSoon();
  }

  /** What is under the pointer, which may stand still while things move. */
  hover(visible) {
    const place = this.pointer && pointedAt(this.pointer, this.video, this.frame);
    const thing = place ? thingAt(visible, place.x, place.y) : null;
    this.onHover(thing?.key ?? null);
    return thing;
  }
}
