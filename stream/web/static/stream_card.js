// One stream on the page: its picture, what stands under it, and its buttons.

import { Clicks } from "./clicks.js";
import { Figures } from "./figures.js";
import { Legend } from "./legend.js";
import { Overlay } from "./overlay.js";
import { Player } from "./player.js";
import { number, text, translate } from "./texts.js";

const MOST_LABELS = 5;
/** Less would be said to be 0 %. */
const LEAST_SHOWN = 0.005;
/** Of the server's legend, while it lacks a model that has been heard of. */
const ASK_AGAIN_MS = 2000;
const LEGEND_EVERY_MS = 250;

export class StreamCard {
  constructor(stream) {
    const section = document.getElementById("stream-card").content.cloneNode(true).firstElementChild;
    this.section = section;
    this.name = stream.name;
    this.title = stream.title;
    this.addresses = { drawn: stream.whep, plain: stream.whep_plain };
    this.problem = null;
    this.isPaused = false;
    this.results = {};
    this.staleSeconds = null;
    this.legendAt = { asked: -Infinity, shown: 0 };
    this.video = section.querySelector("video");
    this.screen = section.querySelector(".screen");
    this.figures = new Figures(section.querySelector(".figures"));
    this.isInteractive = stream.whep_plain !== null && stream.overlay === "browser";
    this.player = new Player(this.address(), this.video, {
      state: (state, details) => this.show(state, details),
      frame: (message) => this.hear(message),
      shown: () => this.shown(),
      figures: (figures) => this.hearServer(figures),
    });
    this.clicks = new Clicks(section, this.player.frame, `/api/streams/${stream.name}/clicks`);
    this.overlay = new Overlay(this.screen, this.player.frame, (key) => this.legend.mark(key));
    this.legend = new Legend(section.querySelector(".legend"), {
      isolate: (key) => this.overlay.isolate(key),
      highlight: (key) => this.overlay.highlight(key),
      threshold: (model, least) => this.overlay.setThreshold(model, least),
    });
    section.querySelector("h2").textContent = stream.title;
    section.querySelector(".pause").onclick = () => this.pause(!this.isPaused);
    section.querySelector(".full").onclick = () => this.screen.requestFullscreen();
    section.querySelector(".toggle").onclick = () => this.toggleFigures();
    section.querySelector(".explore").onclick = () => this.explore(!this.isInteractive);
    section.querySelector(".explore").hidden = stream.whep_plain === null;
    this.video.onresize = () => {
      this.screen.style.aspectRatio = `${this.video.videoWidth} / ${this.video.videoHeight}`;
      this.overlay.drawSoon();
    };
    this.turnOverlay();
    this.update(stream);
    this.show("connecting");
  }

  /** Take what the server says of the stream. */
  update({ state, problem }) {
    const before = this.end;
    this.end = ["ended", "failed", "unpublished"].includes(state) ? state : null;
    this.problem = problem;
    if (before !== undefined && before !== this.end) this.show(this.state);
  }

  show(state, details = this.details) {
    if (state === "live" && this.state !== "live") this.figures.begin();
    this.state = state;
    this.details = details;
    const shown = this.end ?? state;
    this.section.dataset.state = shown;
    const isStale = shown === "live" && this.staleSeconds !== null;
    this.section.toggleAttribute("data-stale", isStale);
    const line = isStale ? text("stale", { seconds: number(inSteps(this.staleSeconds)) }) : this.stateInWords(shown);
    const status = this.section.querySelector(".state");
    if (status.textContent !== line) status.textContent = line;
  }

  stateInWords(shown) {
    if (this.problem && this.end === "failed") return `${text(shown)}: ${this.problem}`;
    const { attempt, step } = this.details ?? {};
    const line = attempt ? `${text(shown)} ${text("attempt", { number: number(attempt) })}` : text(shown);
    return step && shown === "waiting" ? `${line}: ${text(`${step}Failed`)}` : line;
  }

  hear(message) {
    this.figures.tellStages(message.stage_ms);
    this.results = message.results;
    this.clicks.tell(message.objects ?? null, message.notice);
    if (!this.isInteractive || performance.now() - this.legendAt.asked < ASK_AGAIN_MS) return;
    // Also another model of the same name, whose classes are others.
    const isKnown = Object.entries(message.results).every(([model, one]) => {
      const legend = this.overlay.legends.get(model);
      return legend && (one.detections ?? one.poses ?? []).every(({ label }) => label in legend.colours);
    });
    if (!isKnown) this.askLegend();
  }

  hearServer(figures) {
    this.figures.tellServer(figures);
    this.staleSeconds = figures.stale_seconds;
    this.show(this.state);
  }

  async askLegend() {
    this.legendAt.asked = performance.now();
    const response = await fetch(`/api/streams/${this.name}/legend`).catch(() => null);
    if (response?.ok) this.overlay.setLegends(await response.json());
  }

  /** Another frame is on the screen. */
  shown() {
    if (!this.isInteractive) return;
    this.overlay.draw();
    const now = performance.now();
    if (now - this.legendAt.shown < LEGEND_EVERY_MS) return;
    this.legendAt.shown = now;
    // What a depth map says has neither classes nor scores.
    const models = [...this.overlay.legends.values()].filter(({ colours }) => Object.keys(colours).length);
    this.legend.update(this.overlay.visible(), models);
  }

  address() {
    return this.isInteractive ? this.addresses.plain : this.addresses.drawn;
  }

  /** Let the page draw what the models see, or the server. */
  explore(isInteractive) {
    this.isInteractive = isInteractive;
    this.turnOverlay();
    if (!this.isPaused) this.player.startAt(this.address());
    else this.player.url = this.address();
    this.refresh();
  }

  turnOverlay() {
    this.overlay.turn(this.isInteractive);
    this.section.querySelector(".legend").hidden = !this.isInteractive;
    this.section.querySelector(".explore").setAttribute("aria-pressed", String(this.isInteractive));
  }

  pause(isPaused) {
    this.isPaused = isPaused;
    if (isPaused) {
      this.player.stop();
      this.show("paused", {});
    } else {
      this.player.start();
    }
    const button = this.section.querySelector(".pause");
    button.dataset.text = isPaused ? "resume" : "pause";
    button.setAttribute("aria-pressed", String(isPaused));
    this.translate();
  }

  toggleFigures() {
    const panel = this.section.querySelector(".figures");
    panel.hidden = !panel.hidden;
    this.section.querySelector(".toggle").setAttribute("aria-expanded", String(!panel.hidden));
    this.figures.show();
  }

  /** Once a second. */
  async refresh() {
    this.section.querySelector(".seen").textContent = this.seen().slice(0, MOST_LABELS).join(", ");
    this.figures.take(await this.player.statistics(), this.player.latencyMs, this.player.presented);
    if (!this.section.querySelector(".figures").hidden) this.figures.show();
  }

  /** What stands under the picture: all labels, or, where there is a legend, those that it has no place for. */
  seen() {
    const results = Object.entries(this.results);
    if (!this.isInteractive) {
      const found = results.flatMap(([, one]) => one.detections ?? one.poses ?? one.labels ?? one.segments ?? []);
      return [...new Set(found.map(({ label }) => label))];
    }
    return results.flatMap(([model, one]) =>
      (one.labels ?? [])
        .filter(({ score }) => score >= Math.max(LEAST_SHOWN, this.overlay.thresholds.get(model) ?? 0))
        .map(({ label, score }) => `${label} ${number(100 * score)} %`),
    );
  }

  translate() {
    translate(this.section);
    this.video.setAttribute("aria-label", text("video", { name: this.title }));
    for (const button of this.section.querySelectorAll(".controls button")) {
      button.setAttribute("aria-label", `${button.textContent}: ${this.title}`);
    }
    this.legend.translate();
    this.clicks.translate();
    if (!this.section.querySelector(".figures").hidden) this.figures.show();
    this.show(this.state);
  }
}

/** Whole seconds, and five at a time when they are many: who hears the page read aloud is not told of each. */
function inSteps(seconds) {
  return seconds < 5 ? Math.round(seconds) : 5 * Math.floor(seconds / 5);
}
