// Drawings as files: pictures, and lines of Quick, Draw!'s raw format, which `mirilla train sketch` reads.

import { asPng } from "./ink.js";

/**
 * A drawing as a line of Quick, Draw!'s raw files (https://github.com/googlecreativelab/quickdraw-dataset).
 * @param {import("./store.js").Kept} drawing
 */
export function quickDrawLine({ key, word, recognized, at, strokes }) {
  return JSON.stringify({
    key_id: key,
    word,
    recognized,
    timestamp: at.replace("T", " ").replace(/(\.\d+)?Z$/, (_, part) => `${(part ?? ".0").padEnd(7, "0")} UTC`),
    // Nobody has asked where the player is.
    countrycode: "",
    drawing: strokes.map(({ x, y, t }) => [x, y, t]),
  });
}

/** Offer all drawings of one word as a file of its name, as the training looks for it. */
export function downloadLines(word, drawings) {
  const lines = drawings.map((drawing) => `${quickDrawLine(drawing)}\n`);
  download(new Blob(lines, { type: "application/x-ndjson" }), `${word}.ndjson`);
}

export async function downloadPng({ word, key, strokes }) {
  download(await asPng(strokes), `${word} ${key}.png`);
}

function download(content, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // Once the browser has begun to read it.
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
