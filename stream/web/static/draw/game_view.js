// The game as it is seen: the word to read first, the clock, the cheer, and the six drawings at the end.

import { number, text } from "../texts.js";
import { drawingCard } from "./card.js";
import { Game, ROUND_MS, ROUNDS } from "./game.js";
import { wordOf } from "./words.js";

const AFTER_HIT_MS = 1800;
const AFTER_MISS_MS = 2200;
const AFTER_SKIP_MS = 500;
const CONFETTI = 28;

const element = (id) => document.getElementById(id);

export class GameView {
  /**
   * @param {import("./pad.js").Pad} pad
   * @param {{blank: function(), conclude: function(string), keep: function(...object): Promise<boolean>}} page
   *   blank: begins a new sheet; conclude: says how it ended; keep: puts drawings into the gallery
   */
  constructor(pad, page) {
    this.pad = pad;
    this.page = page;
    this.game = null;
    this.drawings = [];
    element("begin").onclick = () => this.game?.begin();
    element("next").onclick = () => this.skip();
    element("stop").onclick = () => this.stop();
    element("free").onclick = () => this.stop();
    element("keep-all").onclick = () => this.keepAll();
    document.addEventListener("visibilitychange", () => document.hidden && this.game?.pause());
    this.show();
  }

  get isPlaying() {
    return this.game !== null && this.game.state !== "over";
  }

  /** @param {string[]} words that can be asked for */
  start(words) {
    this.stop();
    this.drawings = [];
    this.game = new Game(words, {
      round: () => this.round(),
      draw: () => this.draw(),
      tick: (leftMs) => this.tick(leftMs),
      paused: () => this.show(),
      hit: (game) => this.ended(text("knows", { word: wordOf(game.word) }), AFTER_HIT_MS),
      missed: (game) => this.ended(text("missed", { word: wordOf(game.word) }), AFTER_MISS_MS),
      skipped: () => this.ended(text("skipped"), AFTER_SKIP_MS),
      over: () => this.over(),
    });
    this.game.next();
  }

  guess(guesses) {
    this.game?.guess(guesses);
  }

  skip() {
    this.game?.skip();
  }

  stop() {
    clearTimeout(this.later);
    if (!this.game) return;
    this.game.stop();
    this.game = null;
    this.page.blank();
    this.show();
  }

  round() {
    this.page.blank();
    this.show();
    element("begin").focus();
  }

  draw() {
    this.show();
    element("sheet").focus();
  }

  tick(leftMs) {
    element("clock").textContent = text("secondsLeft", { seconds: Math.ceil(leftMs / 1000) });
    element("time-left").style.setProperty("--left", leftMs / ROUND_MS);
  }

  ended(sentence, pauseMs) {
    const { word, isHit, seen } = this.game.rounds.at(-1);
    this.drawings.push({ word, recognized: isHit, seen, strokes: this.pad.strokes.all });
    if (isHit) this.cheer();
    this.page.conclude(sentence);
    this.show();
    this.later = setTimeout(() => this.game?.next(), pauseMs);
  }

  cheer() {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const pieces = Array.from({ length: CONFETTI }, (_, index) => {
      const piece = document.createElement("i");
      piece.style.setProperty("--to-x", `${Math.round(90 * Math.cos(index * 2.4))}%`);
      piece.style.setProperty("--turn", `${index * 97}deg`);
      piece.style.setProperty("--hue", index * 47);
      piece.style.setProperty("--wait", `${(index % 7) * 40}ms`);
      piece.style.left = `${50 + 40 * Math.cos(index * 2.4)}%`;
      return piece;
    });
    element("cheer").replaceChildren(...pieces);
  }

  over() {
    this.page.blank();
    this.isKept = false;
    this.show();
    element("summary").focus();
    this.page.conclude(element("summary-title").textContent);
  }

  async keepAll() {
    const drawn = this.drawings.filter(({ strokes }) => strokes.length);
    this.isKept = await this.page.keep(...drawn);
    this.show();
  }

  /** Bring the page into the state of the game. */
  show() {
    const { game } = this;
    const state = game?.state ?? "none";
    const isOver = state === "over";
    element("studio").dataset.mode = isOver ? "over" : game ? "play" : "free";
    element("studio").dataset.state = state;
    for (const [id, isShown] of [["play", !game], ["next", game && !isOver], ["stop", game && !isOver], ["clock", game], ["save", !game]]) {
      element(id).hidden = !isShown;
    }
    element("model").disabled = this.isPlaying;
    this.pad.lock(game !== null && state !== "drawing");
    const about = game && !isOver ? { number: number(game.number), count: number(ROUNDS), word: wordOf(game.word) } : {};
    element("task").textContent = game && !isOver ? text("roundTask", about) : text("freeTask");
    const isCurtain = state === "ready" || state === "paused";
    element("curtain").hidden = !isCurtain;
    if (isCurtain) {
      element("curtain-round").textContent = text("round", about);
      element("curtain-word").textContent = about.word;
      element("curtain-word").dataset.word = game.word;
      const more = state === "paused" ? text("paused") : text("inSeconds", { seconds: number(ROUND_MS / 1000) });
      element("curtain-more").textContent = more;
      element("begin").textContent = text(state === "paused" ? "goOn" : "begin");
      this.tick(game.left());
    }
    if (isOver) this.showSummary();
  }

  showSummary() {
    const hits = this.drawings.filter(({ recognized }) => recognized).length;
    element("summary-title").textContent = text("summary", { hits: number(hits), count: number(this.drawings.length) });
    element("rounds").replaceChildren(...this.drawings.map((drawing) => drawingCard(drawing, [])));
    const button = element("keep-all");
    button.textContent = text(this.isKept ? "kept" : "keepAll");
    button.disabled = this.isKept || !this.drawings.some(({ strokes }) => strokes.length);
  }
}
