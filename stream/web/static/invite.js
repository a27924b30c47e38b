// "Let a phone join": a link that works once, as a QR code.

import { text } from "./texts.js";

const button = document.getElementById("invite");
const dialog = document.getElementById("invitation");

/** Show the button where the server can be reached by others. */
export function offerInvitations(isPossible) {
  button.hidden = !isPossible;
}

button.onclick = async () => {
  const response = await fetch("/api/invitation", { method: "POST" }).catch(() => null);
  const problem = dialog.querySelector(".problem");
  problem.hidden = Boolean(response?.ok);
  dialog.querySelector(".invited").hidden = !response?.ok;
  if (response?.ok) {
    const { url, svg, seconds, is_secure: isSecure } = await response.json();
    const code = dialog.querySelector("img");
    code.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
    code.alt = text("inviteCode");
    const link = dialog.querySelector("a");
    link.href = url;
    link.textContent = url;
    dialog.querySelector(".once").textContent = text("inviteOnce", { minutes: Math.round(seconds / 60) });
    dialog.querySelector(".insecure").hidden = isSecure;
  } else {
    problem.textContent = text("noServer");
  }
  dialog.showModal();
};

dialog.querySelector(".close").onclick = () => dialog.close();
dialog.onclose = () => {
  // Whoever comes by later finds nothing.
  dialog.querySelector("img").removeAttribute("src");
  dialog.querySelector("a").removeAttribute("href");
  dialog.querySelector("a").textContent = "";
  button.focus();
};
