// The page: lists the server's streams, shows each, and asks for the token where the server does.

import { Figures } from "./figures.js";
import { Player } from "./player.js";
import { offerLanguages, text, translate } from "./texts.js";

const LOOK_EVERY_MS = 3000;
const FIGURES_EVERY_MS = 1000;
const MOST_LABELS = 5;

const main = document.getElementById("streams");
const notice = document.getElementById("notice");
let cards = [];

class Card {
  constructor(stream) {
    const section = document.getElementById("stream-card").content.cloneNode(true).firstElementChild;
    this.section = section;
    this.name = stream.name;
    this.title = stream.title;
    this.problem = null;
    this.isPaused = false;
    this.results = {};
    this.video = section.querySelector("video");
    this.figures = new Figures(section.querySelector(".figures"));
    this.player = new Player(stream.whep, this.video, {
      state: (state) => this.show(state),
      frame: (message) => {
        this.figures.tellStages(message.stage_ms);
        this.results = message.results;
      },
      figures: (figures) => this.figures.tellServer(figures),
    });
    section.querySelector("h2").textContent = stream.title;
    section.querySelector(".pause").onclick = () => this.pause(!this.isPaused);
    section.querySelector(".full").onclick = () => section.querySelector(".screen").requestFullscreen();
    section.querySelector(".toggle").onclick = () => this.toggleFigures();
    this.video.onresize = () => {
      section.querySelector(".screen").style.aspectRatio = `${this.video.videoWidth} / ${this.video.videoHeight}`;
    };
    this.update(stream);
    this.show("connecting");
  }

  /** Take what the server says of the stream. */
  update({ state, problem }) {
    const before = this.end;
    this.end = state === "ended" || state === "failed" ? state : null;
    this.problem = problem;
    if (before !== undefined && before !== this.end) this.show(this.state);
  }

  show(state) {
    this.state = state;
    if (state === "connecting") this.figures.begin();
    const shown = this.end ?? state;
    this.section.dataset.state = shown;
    const line = this.problem && this.end === "failed" ? `${text(shown)}: ${this.problem}` : text(shown);
    const status = this.section.querySelector(".state");
    if (status.textContent !== line) status.textContent = line;
  }

  pause(isPaused) {
    this.isPaused = isPaused;
    if (isPaused) {
      this.player.stop();
      this.show("paused");
    } else {
      this.player.start();
    }
    const button = this.section.querySelector(".pause");
    button.dataset.text = isPaused ? "resume" : "pause";
    button.setAttribute("aria-pressed", String(isPaused));
    this.translate();
  }

  toggleFigures() {
    const list = this.section.querySelector(".figures");
    list.hidden = !list.hidden;
    this.section.querySelector(".toggle").setAttribute("aria-expanded", String(!list.hidden));
    this.refresh();
  }

  async refresh() {
    const labels = Object.values(this.results).flatMap((result) =>
      (result.detections ?? result.labels ?? result.segments ?? []).map(({ label }) => label),
    );
    this.section.querySelector(".seen").textContent = [...new Set(labels)].slice(0, MOST_LABELS).join(", ");
    if (!this.section.querySelector(".figures").hidden) {
      const now = await this.player.statistics();
      this.figures.show(now, this.player.latencyMs, this.video.getVideoPlaybackQuality());
    }
  }

  translate() {
    translate(this.section);
    this.video.setAttribute("aria-label", text("video", { name: this.title }));
    for (const button of this.section.querySelectorAll("button")) {
      button.setAttribute("aria-label", `${button.textContent}: ${this.title}`);
    }
    this.show(this.state);
  }
}

function say(key) {
  const line = key ? text(key) : "";
  notice.dataset.key = key;
  if (notice.textContent !== line) notice.textContent = line;
}

function clear() {
  for (const card of cards) card.player.stop();
  cards = [];
  main.replaceChildren();
}

function askToken() {
  if (main.querySelector(".token")) return;
  clear();
  say("needToken");
  main.append(document.getElementById("token-form").content.cloneNode(true));
  translate(main);
  const form = main.querySelector(".token");
  form.onsubmit = async (event) => {
    event.preventDefault();
    const response = await fetch("/api/session", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token: form.token.value }),
    }).catch(() => null);
    if (response?.ok) {
      form.remove();
      look();
    } else {
      say(response ? "wrongToken" : "noServer");
      form.token.select();
    }
  };
  form.token.focus();
}

/** Ask for the streams; the page follows what the server has, also after the server was started again. */
async function look() {
  const response = await fetch("/api/streams").catch(() => null);
  if (response?.status === 401) {
    askToken();
    return;
  }
  if (!response?.ok) {
    say("noServer");
    return;
  }
  const streams = await response.json();
  say(streams.length ? "" : "noStreams");
  if (streams.map(({ name }) => name).join("/") !== cards.map(({ name }) => name).join("/")) {
    clear();
    cards = streams.map((stream) => new Card(stream));
    main.append(...cards.map(({ section }) => section));
    for (const card of cards) {
      card.translate();
      card.player.start();
    }
  }
  streams.forEach((stream, index) => cards[index].update(stream));
}

offerLanguages(document.getElementById("language"), () => {
  for (const card of cards) card.translate();
  if (notice.dataset.key) say(notice.dataset.key);
});
addEventListener("pagehide", () => cards.forEach((card) => card.player.stop()));
addEventListener("pageshow", ({ persisted }) => {
  if (persisted) cards.filter((card) => !card.isPaused).forEach((card) => card.player.start());
});
look();
setInterval(look, LOOK_EVERY_MS);
setInterval(() => cards.forEach((card) => card.refresh()), FIGURES_EVERY_MS);
