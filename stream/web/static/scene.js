// What of a frame can be drawn: the things that models name, each with its class, colour and place.

import { decodeMask, outlines, pathOf } from "./masks.js";

/** Until the server has said how a class is coloured. */
const UNKNOWN_COLOUR = "#4dc8ff";

/** One thing that a model sees; places are in pixels of the frame. */
class Thing {
  constructor(model, found, legend, strength) {
    this.model = model;
    this.label = found.label;
    this.key = `${model}/${found.label}`;
    this.score = found.score ?? null;
    this.trackId = found.track_id ?? null;
    this.colour = legend?.colours[found.label] ?? UNKNOWN_COLOUR;
    this.strength = strength;
    this.box = found.box ?? null;
    this.rle = found.mask ?? null;
    this.mask = null;
    this.path = null;
    this.setPose(found, legend);
  }

  setPose({ keypoints, labels }, legend) {
    const places = new Map((keypoints ?? []).map((place, index) => [labels[index], place]));
    const joined = (legend?.limbs ?? []).filter(([start, end]) => places.has(start) && places.has(end));
    this.limbs = joined.map(([start, end, colour]) => ({ from: places.get(start), to: places.get(end), colour }));
    this.joints = [...places].map(([name, place]) => ({ place, colour: legend?.joints[name] ?? UNKNOWN_COLOUR }));
  }

  /** Find the mask's outline, once the size of the frame is known. */
  outline(width, height) {
    if (!this.rle || this.path) return;
    this.mask = decodeMask(this.rle);
    this.path = pathOf(outlines(this.mask), width / this.mask.width, height / this.mask.height);
    this.frame = { width, height };
  }

  /** Whether a place belongs to it: to its mask where it has one, else to its box. */
  holds(x, y) {
    if (this.mask) {
      const column = Math.floor((x * this.mask.width) / this.frame.width);
      const row = Math.floor((y * this.mask.height) / this.frame.height);
      return this.mask.inside[row * this.mask.width + column] === 1;
    }
    return this.box !== null && x >= this.box.xmin && x < this.box.xmax && y >= this.box.ymin && y < this.box.ymax;
  }

  /** How much of the frame it takes, 0..1: of things that lie on one another, the smallest is meant. */
  share() {
    if (this.mask) return this.mask.inside.reduce((sum, one) => sum + one, 0) / this.mask.inside.length;
    if (!this.box) return 1;
    return ((this.box.xmax - this.box.xmin) * (this.box.ymax - this.box.ymin)) / (this.frame.width * this.frame.height);
  }
}

/**
 * All things of a frame, each model's likeliest first.
 * @param {object | null} message of the frame
 * @param {Map<string, object>} legends by model, as the server gives them
 * @param {{width: number, height: number}} frame its size
 * @returns {Thing[]}
 */
export function thingsOf(message, legends, frame) {
  const things = [];
  for (const [model, result] of Object.entries(message?.results ?? {})) {
    const strength = message.strengths?.[model] ?? 1;
    for (const found of result.detections ?? result.poses ?? result.segments ?? []) {
      // A class of a map that is background has no mask, and is not drawn.
      if (!found.box && !found.mask) continue;
      const thing = new Thing(model, found, legends.get(model), strength);
      thing.frame = frame;
      thing.outline(frame.width, frame.height);
      things.push(thing);
    }
  }
  return things;
}

/** The thing that lies on top at a place; null where there is none. */
export function thingAt(things, x, y) {
  const there = things.filter((thing) => thing.holds(x, y));
  return there.reduce((best, thing) => (best === null || thing.share() < best.share() ? thing : best), null);
}
