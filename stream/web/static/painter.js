// Draws the things of a frame on a canvas that lies over the video.

const DARK = "#0b1210";
const VEIL = "rgb(8 12 11 / 70%)";
const FAINT = 0.22;
const MASK_ALPHA = 0.4;
const LEAST_TEXT_PX = 11;
const MOST_TEXT_PX = 20;
const TEXT_SHARE = 0.03;

/**
 * Draw everything anew.
 * @param {CanvasRenderingContext2D} context whose units are CSS pixels
 * @param {import("./scene.js").Thing[]} things
 * @param {{left: number, top: number, width: number, height: number, scale: number}} area of the picture
 * @param {{isStrong: function(object): boolean, isAlone: boolean}} emphasis which things stand out; whether all but
 *   them is dark
 */
export function paint(context, things, area, { isStrong, isAlone }) {
  const basis = Math.min(area.height, 0.8 * area.width);
  const textPx = Math.min(MOST_TEXT_PX, Math.max(LEAST_TEXT_PX, basis * TEXT_SHARE));
  const brush = { context, area, textPx, line: Math.max(1.5, textPx * 0.17) };
  const drawn = isAlone ? things.filter(isStrong) : things;
  if (isAlone) drawVeil(brush, drawn);
  const alpha = (thing) => thing.strength * (isStrong(thing) ? 1 : FAINT);
  // The likeliest lie on top.
  const upwards = drawn.toReversed();
  for (const thing of upwards) withAlpha(context, alpha(thing), () => drawMask(brush, thing, isAlone));
  for (const thing of upwards) withAlpha(context, alpha(thing), () => drawBox(brush, thing));
  for (const thing of upwards) withAlpha(context, alpha(thing), () => drawPose(brush, thing));
  const taken = [];
  for (const thing of drawn.filter(isStrong)) withAlpha(context, thing.strength, () => drawLabel(brush, thing, taken));
}

function withAlpha(context, alpha, draw) {
  context.globalAlpha = alpha;
  draw();
  context.globalAlpha = 1;
}

/** Make all dark but the things themselves. */
function drawVeil({ context, area }, things) {
  context.fillStyle = VEIL;
  context.fillRect(area.left, area.top, area.width, area.height);
  context.globalCompositeOperation = "destination-out";
  context.fillStyle = DARK;
  for (const thing of things) {
    if (thing.path) inFramePixels(context, area, () => context.fill(thing.path, "evenodd"));
    else context.fillRect(...boxOnScreen(thing.box, area));
  }
  context.globalCompositeOperation = "source-over";
}

function inFramePixels(context, area, draw) {
  context.save();
  context.translate(area.left, area.top);
  context.scale(area.scale, area.scale);
  draw();
  context.restore();
}

function boxOnScreen({ xmin, ymin, xmax, ymax }, { left, top, scale }) {
  return [left + xmin * scale, top + ymin * scale, (xmax - xmin) * scale, (ymax - ymin) * scale];
}

function drawMask({ context, area, line }, thing, isBare) {
  if (!thing.path) return;
  inFramePixels(context, area, () => {
    const alpha = context.globalAlpha;
    context.fillStyle = context.strokeStyle = thing.colour;
    context.lineWidth = line / area.scale;
    context.lineJoin = "round";
    context.globalAlpha = alpha * MASK_ALPHA;
    if (!isBare) context.fill(thing.path, "evenodd");
    context.globalAlpha = alpha;
    context.stroke(thing.path);
  });
}

function drawBox({ context, area, line }, thing) {
  // Around a mask with contours, a box only has to hold its label.
  if (!thing.box || thing.joints.length) return;
  // Between the screen's own pixels, lines would be blurred.
  const whole = (length) => Math.round(length * devicePixelRatio) / devicePixelRatio;
  const width = Math.max(whole(thing.path ? line / 2 : line), 1 / devicePixelRatio);
  // The dark rim keeps a line visible on any ground; what is faint need not be.
  const rim = thing.path || context.globalAlpha < 1 ? 0 : Math.max(whole(line / 3), 1 / devicePixelRatio);
  const [x, y, w, h] = boxOnScreen(thing.box, area).map(whole);
  for (const [colour, out, thickness] of [[DARK, rim, width + 2 * rim], [thing.colour, 0, width]]) {
    if (!rim && colour === DARK) continue;
    context.strokeStyle = colour;
    context.lineWidth = thickness;
    // The line lies within the box.
    const inset = thickness / 2 - out;
    context.strokeRect(x + inset, y + inset, Math.max(0, w - 2 * inset), Math.max(0, h - 2 * inset));
  }
}

function drawPose({ context, area, line }, thing) {
  const onScreen = ([x, y]) => [area.left + x * area.scale, area.top + y * area.scale];
  context.lineCap = "round";
  for (const [extra, colourOf] of [[line, () => DARK], [0, ({ colour }) => colour]]) {
    for (const limb of thing.limbs) {
      context.beginPath();
      context.moveTo(...onScreen(limb.from));
      context.lineTo(...onScreen(limb.to));
      context.strokeStyle = colourOf(limb);
      context.lineWidth = line * 1.5 + extra;
      context.stroke();
    }
    for (const joint of thing.joints) {
      context.beginPath();
      context.arc(...onScreen(joint.place), line * 1.4 + extra / 2, 0, 2 * Math.PI);
      context.fillStyle = colourOf(joint);
      context.fill();
    }
  }
}

function drawLabel({ context, area, textPx }, thing, taken) {
  // A skeleton is seen to be a person; which one is worth saying.
  if (!thing.box || (thing.joints.length && thing.trackId === null)) return;
  context.font = `600 ${textPx}px system-ui, sans-serif`;
  const text = labelOf(thing);
  const [width, height] = [context.measureText(text).width + textPx * 0.8, textPx * 1.55];
  const place = freePlace(boxOnScreen(thing.box, area), width, height, area, taken);
  if (!place) return;
  taken.push(place);
  context.fillStyle = thing.colour;
  context.beginPath();
  context.roundRect(place.x, place.y, width, height, textPx * 0.25);
  context.fill();
  context.fillStyle = DARK;
  context.textBaseline = "middle";
  context.fillText(text, place.x + textPx * 0.4, place.y + height / 2);
}

function labelOf({ label, trackId, score }) {
  const track = trackId === null ? "" : ` #${trackId}`;
  return score === null ? label + track : `${label}${track} ${Math.round(100 * score)}%`;
}

/** Above the box, in it, below it, at its left or right: in the picture, and on no other label; null where that is not. */
function freePlace([left, top, boxWidth, boxHeight], width, height, area, taken) {
  const rightmost = area.left + area.width - width;
  const lowest = area.top + area.height - height;
  const bottom = top + boxHeight;
  for (const y of [top - height, top, bottom - height, bottom]) {
    if (y < area.top || y > lowest) continue;
    for (const start of [left, left + boxWidth - width]) {
      const x = Math.max(area.left, Math.min(start, rightmost));
      const isFree = !taken.some(
        (other) => x < other.x + other.width && other.x < x + width && y < other.y + other.height && other.y < y + height,
      );
      if (isFree) return { x, y, width, height };
    }
  }
  return null;
}
