// The player's kept drawings, by category: to look at, to download, to delete.

import { number, text } from "../texts.js";
import { drawingCard } from "./card.js";
import { downloadLines, downloadPng } from "./files.js";
import { allKept, forget, keep } from "./store.js";
import { wordOf } from "./words.js";

export class Gallery {
  /** @param {{shelves: HTMLElement, note: HTMLElement}} places */
  constructor({ shelves, note }) {
    this.shelves = shelves;
    this.note = note;
  }

  /** Keep drawings; false where the browser keeps nothing, as in some private windows. */
  async keep(...drawings) {
    try {
      for (const drawing of drawings) await keep(drawing);
    } catch (error) {
      console.warn("mirilla:", error);
      this.note.textContent = text("cannotKeep");
      return false;
    }
    await this.show();
    return true;
  }

  async show() {
    const drawings = await allKept().catch(() => []);
    this.note.textContent = text(drawings.length ? "galleryNote" : "galleryEmpty");
    const words = [...new Set(drawings.map(({ word }) => word))];
    words.sort((a, b) => wordOf(a).localeCompare(wordOf(b), document.documentElement.lang));
    this.shelves.replaceChildren(...words.map((word) => this.shelf(word, drawings.filter((one) => one.word === word))));
  }

  shelf(word, drawings) {
    const section = document.createElement("section");
    section.className = "shelf";
    section.dataset.word = word;
    const title = document.createElement("div");
    title.className = "title";
    const heading = document.createElement("h3");
    heading.textContent = `${wordOf(word)} (${number(drawings.length)})`;
    const lines = Object.assign(document.createElement("button"), { type: "button", textContent: text("strokesFile") });
    lines.setAttribute("aria-label", `${text("strokesFile")}: ${wordOf(word)}`);
    lines.onclick = () => downloadLines(word, drawings);
    title.append(heading, lines);
    const cards = document.createElement("ul");
    cards.className = "cards";
    cards.append(
      ...drawings.map((drawing) =>
        drawingCard(drawing, [
          { key: "png", action: () => downloadPng(drawing) },
          { key: "forget", action: () => this.forget(drawing) },
        ]),
      ),
    );
    section.append(title, cards);
    return section;
  }

  async forget({ key, word }) {
    if (!confirm(text("reallyForget", { word: wordOf(word) }))) return;
    await forget(key);
    await this.show();
    document.getElementById("gallery-title").focus();
  }
}
