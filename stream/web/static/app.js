// The page: lists the server's streams, shows each, and asks for the token where the server does.

import { offerAdditions, offerRemoval } from "./additions.js";
import { connectionSettings } from "./ice.js";
import { offerInvitations } from "./invite.js";
import { StreamCard } from "./stream_card.js";
import { offerLanguages, text, translate } from "./texts.js";

const LOOK_EVERY_MS = 3000;
const FIGURES_EVERY_MS = 1000;

const main = document.getElementById("streams");
const notice = document.getElementById("notice");
let cards = [];

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

/** Show the cards of these streams: of those that come and go, and the others go on. */
function follow(streams) {
  const before = new Map(cards.map((card) => [card.name, card]));
  cards = streams.map((stream) => before.get(stream.name) ?? new StreamCard(stream));
  for (const card of before.values()) {
    if (cards.includes(card)) continue;
    card.player.stop();
    card.section.remove();
  }
  cards.forEach((card, index) => {
    // A video that is moved stops for a moment.
    if (main.children[index] !== card.section) main.insertBefore(card.section, main.children[index] ?? null);
    if (before.has(card.name)) return;
    if (streams[index].is_added) offerRemoval(card);
    card.translate();
    card.player.start();
  });
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
  const { invitations, additions } = await connectionSettings();
  offerInvitations(invitations);
  offerAdditions(additions, look);
  say(streams.length ? "" : "noStreams");
  follow(streams);
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
