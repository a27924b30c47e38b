// What the program sees: five bars that follow the pen, and a sentence that changes slowly enough to be heard.

import { number, percent, text } from "../texts.js";
import { wordOf } from "./words.js";

const ROWS = 5;
const SAY_EVERY_MS = 1200;
const LEAST_SCORE = 0.1;
const SMOOTHING = 0.1;

export class Guesses {
  /**
   * @param {{list: HTMLElement, saying: HTMLElement, quick: HTMLElement}} places
   * @param {function(string)} say speaks a sentence, where speech is on
   */
  constructor({ list, saying, quick }, say) {
    this.saying = saying;
    this.quick = quick;
    this.say = say;
    this.guesses = [];
    this.told = null;
    this.latencyMs = null;
    this.rows = Array.from({ length: ROWS }, () => {
      const row = document.createElement("li");
      row.append(...["name", "share", "bar"].map((name) => Object.assign(document.createElement("span"), { className: name })));
      row.children[2].ariaHidden = "true";
      return row;
    });
    list.append(...this.rows);
    this.beginAnew();
  }

  beginAnew() {
    clearTimeout(this.later);
    this.later = null;
    this.told = null;
    this.isConcluded = false;
    this.show([]);
    this.tell(text("nothingYet"));
  }

  /**
   * Show what was guessed.
   * @param {{label: string, score: number}[]} guesses best first
   * @param {number} [movedAt] when the oldest movement of the pen was made that is new in them
   */
  show(guesses, movedAt) {
    this.guesses = guesses;
    this.rows.forEach((row, index) => {
      const guess = guesses[index];
      const [name, share, bar] = row.children;
      name.textContent = guess ? wordOf(guess.label) : "";
      share.textContent = guess ? percent(guess.score) : "";
      bar.style.setProperty("--share", guess?.score ?? 0);
    });
    if (movedAt !== undefined) this.measure(movedAt);
    if (!guesses.length || this.isConcluded) return;
    this.later ??= setTimeout(() => {
      this.later = null;
      this.narrate();
    }, SAY_EVERY_MS);
  }

  /** Say the newest guesses, unless the best was said last. */
  narrate() {
    const likely = this.guesses.filter(({ score }) => score >= LEAST_SCORE).map(({ label }) => label);
    const best = likely[0] ?? null;
    if (best === this.told || !this.guesses.length) return;
    this.told = best;
    const [first, second] = likely.map(wordOf);
    const sentence = !best ? text("notSure") : text(second ? "seesTwo" : "sees", { first, second });
    this.tell(sentence);
    this.say(sentence);
  }

  /** Put a sentence where it is read, also by those who hear it. */
  tell(sentence) {
    if (this.saying.textContent !== sentence) this.saying.textContent = sentence;
  }

  /** Say what there is to say in the end; nothing follows it until a new sheet is begun. */
  conclude(sentence) {
    clearTimeout(this.later);
    this.later = null;
    this.isConcluded = true;
    this.tell(sentence);
    this.say(sentence);
  }

  translate() {
    this.told = null;
    if (this.isConcluded) this.tell("");
    else if (this.guesses.length) {
      this.show(this.guesses);
      this.narrate();
    } else this.tell(text("nothingYet"));
    this.showLatency();
  }

  /** Measure up to the picture that the guess is seen in: from its frame on, what is posted comes after it is painted. */
  measure(movedAt) {
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        const now = performance.now();
        port1.close();
        const latencyMs = now - movedAt;
        this.latencyMs = this.latencyMs === null ? latencyMs : (1 - SMOOTHING) * this.latencyMs + SMOOTHING * latencyMs;
        if (latencyMs >= 0) performance.measure("guess", { start: movedAt, end: now });
        performance.clearMeasures("guess");
        this.showLatency();
      };
      port2.postMessage(null);
    });
  }

  showLatency() {
    this.quick.textContent = this.latencyMs === null ? "" : text("quick", { value: number(Math.max(0, this.latencyMs)) });
  }
}
