// The sketchpad: a sheet, what the program sees on it, the game, and the gallery.

import "./texts.js";
import { number, offerLanguages, text } from "../texts.js";
import { Gallery } from "./gallery.js";
import { GameView } from "./game_view.js";
import { Guesses } from "./guesses.js";
import { Link } from "./link.js";
import { Pad } from "./pad.js";
import { Speech } from "./speech.js";
import { wordOf } from "./words.js";

const LOOK_AGAIN_MS = 3000;
const element = (id) => document.getElementById(id);

let models = [];
const speech = new Speech();
const guesses = new Guesses(
  { list: element("guesses"), saying: element("saying"), quick: element("quick") },
  (sentence) => speech.say(sentence),
);
const gallery = new Gallery({ shelves: element("shelves"), note: element("gallery-note") });
const pad = new Pad(element("sheet"), {
  points: (_, at) => link.grown(at),
  removed: (strokes) => {
    link.removed(strokes);
    forgetFull();
  },
  restored: () => link.flush(),
  full: () => say("sheetFull"),
});
const link = new Link("/api/sketchpad/pen", () => pad.strokes.all, {
  state: (state) => say({ open: "", full: "padsFull", lost: "noServer" }[state]),
  guesses: (newest, movedAt) => {
    guesses.show(newest, movedAt);
    game.guess(newest);
  },
  shared: (stream) => showShared(stream),
});
const game = new GameView(pad, {
  blank: () => {
    pad.beginAnew();
    forgetFull();
    link.cleared();
    guesses.beginAnew();
  },
  conclude: (sentence) => guesses.conclude(sentence),
  keep: (...drawings) => gallery.keep(...drawings),
});

function say(key) {
  const notice = element("notice");
  notice.dataset.key = key;
  notice.replaceChildren(key ? text(key) : "");
  if (key === "needToken") {
    const way = Object.assign(document.createElement("a"), { href: "/", textContent: text("giveToken") });
    notice.append(" ", way);
  }
}

function forgetFull() {
  if (element("notice").dataset.key === "sheetFull") say("");
}

function chosenModel() {
  return models.find(({ name }) => name === element("model").value) ?? models[0];
}

/** Fill the choice of models, and of words for a drawing, in the page's language. */
function showModels() {
  const chosen = chosenModel()?.name;
  const options = models.map(({ name, labels }) => new Option(text("modelOf", { count: number(labels.length), name }), name));
  element("model").replaceChildren(...options);
  if (chosen) element("model").value = chosen;
  const words = [...(chosenModel()?.labels ?? [])].map((label) => new Option(wordOf(label), label));
  words.sort((a, b) => a.text.localeCompare(b.text, document.documentElement.lang));
  element("word").replaceChildren(...words);
}

let shared = null;
function showShared(stream) {
  shared = stream;
  const failed = stream === null && link.isShared;
  if (failed) link.isShared = false;
  element("share").setAttribute("aria-pressed", String(stream !== null));
  element("shared").textContent = stream ? text("sharedAs", { name: stream }) : failed ? text("tooManyShared") : "";
}

async function save() {
  if (pad.strokes.isEmpty || game.isPlaying) return;
  const seen = guesses.guesses.map(({ label }) => label);
  if (seen.length) element("word").value = seen[0];
  element("naming").returnValue = "";
  element("naming").showModal();
  element("naming").onclose = async () => {
    const word = element("word").value;
    if (element("naming").returnValue !== "keep" || !word) return;
    await gallery.keep({ word, recognized: seen[0] === word, seen, strokes: pad.strokes.all });
  };
}

function toggle(button, isOn) {
  button.setAttribute("aria-pressed", String(isOn));
}

const actions = {
  undo: () => pad.undo(),
  erase: () => {
    pad.isErasing = !pad.isErasing;
    toggle(element("erase"), pad.isErasing);
    element("frame").classList.toggle("erasing", pad.isErasing);
  },
  clear: () => pad.clear(),
  save,
  voice: () => {
    speech.turn(!speech.isOn);
    toggle(element("voice"), speech.isOn);
  },
  share: () => link.share(!link.isShared),
  play: () => models.length && game.start(chosenModel().labels),
  again: () => game.start(chosenModel().labels),
};
for (const [id, action] of Object.entries(actions)) element(id).onclick = action;

const keys = { u: actions.undo, e: actions.erase, c: actions.clear, s: actions.save, n: () => game.skip() };
// Letters count only while the sheet has the focus, so that they disturb nobody who speaks or types them elsewhere.
element("sheet").onkeydown = (event) => {
  const action = event.ctrlKey || event.metaKey || event.altKey ? null : keys[event.key.toLowerCase()];
  if (!action) return;
  event.preventDefault();
  action();
};
document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || event.shiftKey) return;
  event.preventDefault();
  actions.undo();
});

element("model").onchange = () => {
  link.choose(element("model").value);
  showModels();
};
toggle(element("voice"), speech.isOn);
element("voice").hidden = !speech.isThere;

offerLanguages(element("language"), () => {
  showModels();
  guesses.translate();
  game.show();
  gallery.show();
  showShared(shared);
  if (element("notice").dataset.key) say(element("notice").dataset.key);
});

/** Ask what can guess; then the line to the server is opened. */
async function begin() {
  const response = await fetch("/api/sketchpad").catch(() => null);
  if (response?.ok) {
    models = await response.json();
    showModels();
    link.model = models[0].name;
    say("");
    link.open();
    return;
  }
  say({ 401: "needToken", 503: "noModel" }[response?.status] ?? "noServer");
  setTimeout(begin, LOOK_AGAIN_MS);
}

addEventListener("pagehide", () => link.close());
addEventListener("pageshow", ({ persisted }) => persisted && models.length && link.open());
begin();
