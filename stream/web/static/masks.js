// Masks as they come: COCO's compressed run lengths, and the outlines of what they hold.

/**
 * The pixels of a mask.
 * @param {{size: [number, number], counts: string}} rle height and width, and the runs; see
 *   rleFrString in https://github.com/cocodataset/cocoapi/blob/master/common/maskApi.c
 * @returns {{width: number, height: number, inside: Uint8Array}} row after row, 1 where the mask is
 */
export function decodeMask({ size: [height, width], counts }) {
  const inside = new Uint8Array(width * height);
  let at = 0;
  let isOn = false;
  for (const run of runLengths(counts)) {
    // Runs go down the columns.
    if (isOn) {
      for (let pixel = at; pixel < at + run; pixel++) {
        inside[(pixel % height) * width + Math.floor(pixel / height)] = 1;
      }
    }
    at += run;
    isOn = !isOn;
  }
  return { width, height, inside };
}

/** How many pixels are off, on, off, ...: five bits a character, the lowest first. */
export function runLengths(counts) {
  const runs = [];
  let value = 0;
  let shift = 0;
  for (let index = 0; index < counts.length; index++) {
    const code = counts.charCodeAt(index) - 48;
    value |= (code & 0x1f) << shift;
    shift += 5;
    if (code & 0x20) continue;
    if (code & 0x10) value |= -1 << shift;
    // From the fourth on, a run is told by its difference from the one two before it.
    runs.push(runs.length > 2 ? value + runs.at(-2) : value);
    value = 0;
    shift = 0;
  }
  return runs;
}

/**
 * The borders of a mask, of holes too, to be filled by the even-odd rule.
 * @returns {[number, number][][]} closed loops through the middles of pixels' sides, in pixels of the mask
 */
export function outlines({ width, height, inside }) {
  const isOn = (x, y) => x >= 0 && y >= 0 && x < width && y < height && inside[y * width + x] === 1;
  // Every loop has a pixel's upper side in it.
  const walked = new Uint8Array(width * height);
  const loops = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (isOn(x, y) && !isOn(x, y - 1) && !walked[y * width + x]) loops.push(walk(x, y, isOn, walked, width));
    }
  }
  return loops;
}

/** Along a border from a pixel's upper left corner, with the mask at the right hand. */
function walk(startX, startY, isOn, walked, width) {
  const loop = [];
  let [x, y, dx, dy] = [startX, startY, 1, 0];
  do {
    if (dx === 1) walked[y * width + x] = 1;
    loop.push([x + dx / 2, y + dy / 2]);
    x += dx;
    y += dy;
    // The two pixels ahead, at the left and at the right of the corner that was reached.
    if (isOn(x + (dx + dy - 1) / 2, y + (dy - dx - 1) / 2)) [dx, dy] = [dy, -dx];
    else if (!isOn(x + (dx - dy - 1) / 2, y + (dy + dx - 1) / 2)) [dx, dy] = [-dy, dx];
  } while (x !== startX || y !== startY || dx !== 1);
  return loop;
}

/**
 * Outlines as one path, with rounded corners.
 * @param {[number, number][][]} loops
 * @param {number} scaleX pixels of the frame a pixel of the mask
 * @param {number} scaleY
 */
export function pathOf(loops, scaleX, scaleY) {
  const path = new Path2D();
  const middle = ([x, y], [nextX, nextY]) => [((x + nextX) / 2) * scaleX, ((y + nextY) / 2) * scaleY];
  for (const loop of loops) {
    path.moveTo(...middle(loop.at(-1), loop[0]));
    loop.forEach((place, index) => {
      const [x, y] = place;
      path.quadraticCurveTo(x * scaleX, y * scaleY, ...middle(place, loop[(index + 1) % loop.length]));
    });
    path.closePath();
  }
  return path;
}
