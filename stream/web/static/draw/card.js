// A card with a drawing, its word, and what the program took it for.

import { text } from "../texts.js";
import { paint } from "./ink.js";
import { wordOf } from "./words.js";

const MOST_SEEN = 3;
const BOLDNESS = 1.8;

/**
 * @param {{word: string, recognized: boolean, seen: string[], strokes: object[]}} drawing
 * @param {{key: string, action: function(HTMLButtonElement)}[]} buttons the key names the text
 */
export function drawingCard(drawing, buttons) {
  const card = document.getElementById("drawing-card").content.cloneNode(true).firstElementChild;
  const word = wordOf(drawing.word);
  card.dataset.word = drawing.word;
  card.dataset.recognized = drawing.recognized;
  card.querySelector(".name").textContent = word;
  card.querySelector(".seen-as").textContent = said(drawing);
  const canvas = card.querySelector("canvas");
  canvas.setAttribute("aria-label", text("drawingOf", { word }));
  // Painted when its size is known, and again when it changes.
  new ResizeObserver(() => paint(canvas, drawing.strokes, BOLDNESS)).observe(canvas);
  for (const { key, action } of buttons) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: text(key) });
    button.setAttribute("aria-label", `${text(key)}: ${word}`);
    button.onclick = () => action(button);
    card.querySelector(".controls").append(button);
  }
  return card;
}

function said({ recognized, seen, word }) {
  if (recognized) return text("recognised");
  const others = seen.filter((label) => label !== word).slice(0, MOST_SEEN);
  return others.length ? text("seenAs", { words: others.map(wordOf).join(", ") }) : text("seenAsNothing");
}
