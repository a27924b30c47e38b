// "Add a stream": a form for an address, and a button that takes an added stream away.

import { text } from "./texts.js";

const button = document.getElementById("add");
const dialog = document.getElementById("addition");
const form = dialog.querySelector("form");
const problem = dialog.querySelector(".problem");
let tell = () => {};

/**
 * Show the button where streams may be added.
 * @param {boolean} isPossible
 * @param {function()} changed called when there are other streams
 */
export function offerAdditions(isPossible, changed) {
  button.hidden = !isPossible;
  tell = changed;
}

/** Let an added stream be taken away, from its card. */
export function offerRemoval(card) {
  const removing = document.createElement("button");
  removing.type = "button";
  removing.dataset.text = "remove";
  removing.onclick = async () => {
    removing.disabled = true;
    const name = encodeURIComponent(card.name);
    const response = await fetch(`/api/streams/${name}`, { method: "DELETE" }).catch(() => null);
    removing.disabled = false;
    if (response) tell();
  };
  card.section.querySelector(".controls").append(removing);
}

function say(line) {
  problem.hidden = !line;
  problem.textContent = line;
}

button.onclick = () => {
  say("");
  dialog.showModal();
};

form.onsubmit = async (event) => {
  event.preventDefault();
  const submit = form.querySelector("[type=submit]");
  submit.disabled = true;
  say("");
  const response = await fetch("/api/streams", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ name: form.elements.name.value, source: form.elements.source.value.trim() }),
  }).catch(() => null);
  submit.disabled = false;
  if (response?.ok) {
    form.reset();
    dialog.close();
    tell();
    return;
  }
  const { detail } = (await response?.json().catch(() => null)) ?? {};
  say(typeof detail === "string" ? `${text("addFailed")} ${detail}` : text(response ? "addFailed" : "noServer"));
};

dialog.querySelector(".close").onclick = () => dialog.close();
