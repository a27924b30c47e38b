// The game's rules: six words, twenty seconds each, counted by the page's clock while somebody can see it.

export const ROUNDS = 6;
export const ROUND_MS = 20000;
const TICK_MS = 100;

/**
 * How sure the program has to be. Measured on drawings that the models had not seen: among 32 things a tenth of a drawing
 * is named by luck in 5 of 100 without a limit, and in 1 with it; among 345 luck names nothing, and few are named for sure.
 */
const LEAST_SCORE_OF_FEW = 0.5;
const LEAST_SCORE_OF_MANY = 0.2;
const MANY = 100;

/**
 * One round as it was played.
 * @typedef {{word: string, isHit: boolean, seen: string[], tookMs: number}} Round
 */

export class Game {
  /**
   * @param {string[]} words that can be asked for
   * @param {{round: function(Game), draw: function(Game), tick: function(number), paused: function(Game), hit: function(Game),
   *   missed: function(Game), skipped: function(Game), over: function(Game)}} tell
   *   of a word that is to be read first, of drawing that may begin, of the time left in milliseconds, of a pause, of
   *   how a round ended, and of the end
   */
  constructor(words, tell) {
    this.words = drawn(words, ROUNDS);
    this.leastScore = words.length < MANY ? LEAST_SCORE_OF_FEW : LEAST_SCORE_OF_MANY;
    this.tell = tell;
    /** @type {Round[]} */
    this.rounds = [];
    /** `ready` (the word is read), `drawing`, `paused`, `done` (with a round) or `over`. */
    this.state = "ready";
    this.seen = [];
    this.leftMs = ROUND_MS;
  }

  get number() {
    return Math.min(this.rounds.length + (this.state === "done" ? 0 : 1), this.words.length);
  }

  get word() {
    return this.words[this.number - 1];
  }

  /** Show the next word, or the end. */
  next() {
    this.state = "ready";
    if (this.rounds.length === this.words.length) {
      this.state = "over";
      this.tell.over(this);
      return;
    }
    this.seen = [];
    this.leftMs = ROUND_MS;
    this.tell.round(this);
  }

  /** The word was read, or the pause is over: the clock runs. */
  begin() {
    if (this.state !== "ready" && this.state !== "paused") return;
    this.state = "drawing";
    this.since = performance.now();
    this.ticking = setInterval(() => this.tick(), TICK_MS);
    this.tell.draw(this);
    this.tell.tick(this.left());
  }

  /** What the program sees now; the round is won when it is the word. */
  guess(guesses) {
    if (this.state !== "drawing") return;
    this.seen = guesses.map(({ label }) => label);
    if (this.seen[0] === this.word && guesses[0].score >= this.leastScore) this.end("hit");
  }

  /** Give a word up. */
  skip() {
    if (["ready", "drawing", "paused"].includes(this.state)) this.end("skipped");
  }

  /** Nobody sees the page: the clock stands still. */
  pause() {
    if (this.state !== "drawing") return;
    this.leftMs = this.left();
    this.state = "paused";
    clearInterval(this.ticking);
    this.tell.paused(this);
  }

  /** End the game where it is. */
  stop() {
    clearInterval(this.ticking);
    this.state = "over";
  }

  left() {
    return this.state === "drawing" ? Math.max(0, this.leftMs - (performance.now() - this.since)) : this.leftMs;
  }

  tick() {
    const left = this.left();
    this.tell.tick(left);
    if (left === 0) this.end("missed");
  }

  /** @param {"hit" | "missed" | "skipped"} how */
  end(how) {
    const left = this.left();
    clearInterval(this.ticking);
    this.rounds.push({ word: this.word, isHit: how === "hit", seen: this.seen, tookMs: ROUND_MS - left });
    this.state = "done";
    this.tell[how](this);
  }
}

/** So many of the words, each once, in any order (Fisher-Yates). */
function drawn(words, count) {
  const all = [...words];
  for (let index = 0; index < Math.min(count, all.length); index++) {
    const other = index + Math.floor(Math.random() * (all.length - index));
    [all[index], all[other]] = [all[other], all[index]];
  }
  return all.slice(0, count);
}
