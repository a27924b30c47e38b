// Clicks on the picture: what somebody points at is cut out by the server and followed.

import { pointedAt } from "./pointing.js";
import { text } from "./texts.js";

/** A pointer that goes further than this draws a box. */
const DRAG_PX = 8;
/** Of the picture, for each press of an arrow key. */
const STEP = 0.02;
const NOTICE_MS = 4000;

export class Clicks {
  /**
   * @param {HTMLElement} section the stream's card
   * @param {import("./shown_frame.js").ShownFrame} frame
   * @param {string} address where clicks are posted
   */
  constructor(section, frame, address) {
    this.section = section;
    this.panel = section.querySelector(".clicks");
    this.screen = section.querySelector(".screen");
    this.video = section.querySelector("video");
    this.cross = section.querySelector(".cross");
    this.box = section.querySelector(".drawn-box");
    this.frame = frame;
    this.address = address;
    /** The object that the next click is about: its number, or "new". */
    this.current = "new";
    this.objects = [];
    this.pressed = null;
    this.place = null;
    this.isOn = false;
    const press = (name, act) => (this.panel.querySelector(name).onclick = act);
    press(".another", () => this.choose("new"));
    press(".without", (event) => this.subtract(event.currentTarget.getAttribute("aria-pressed") !== "true"));
    press(".undo", () => this.send({ type: "undo" }));
    press(".clear", () => this.clear());
    this.screen.addEventListener("pointerdown", (event) => this.down(event));
    this.screen.addEventListener("pointermove", (event) => this.move(event));
    this.screen.addEventListener("pointerup", (event) => this.up(event));
    this.screen.addEventListener("pointercancel", () => this.drop());
    this.screen.addEventListener("contextmenu", (event) => this.isOn && event.preventDefault());
    this.screen.addEventListener("keydown", (event) => this.key(event));
    this.screen.addEventListener("blur", () => this.point(null));
  }

  /** Take which objects the server follows, null where it answers no clicks, and the stream's newest notice. */
  tell(objects, notice) {
    this.turn(objects !== null);
    if (notice && notice.number !== this.heard) {
      // What was said before somebody came is old.
      if (this.heard !== undefined) this.say(notice.text);
      this.heard = notice.number;
    } else if (!notice) {
      this.heard = 0;
    }
    const shown = JSON.stringify(objects ?? []);
    if (shown === this.shown) return;
    this.shown = shown;
    this.objects = objects ?? [];
    const isGone = typeof this.current === "number" && !this.find(this.current);
    if (isGone || !this.objects.length) this.current = "new";
    this.list();
  }

  /** Say something for a moment. */
  say(words) {
    const line = this.panel.querySelector(".said");
    line.textContent = words;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (line.textContent = ""), NOTICE_MS);
  }

  translate() {
    if (this.isOn) this.screen.setAttribute("aria-label", text("pointHere"));
    this.list();
  }

  turn(isOn) {
    if (isOn === this.isOn) return;
    this.isOn = isOn;
    this.panel.hidden = !isOn;
    this.screen.toggleAttribute("data-pointed", isOn);
    if (isOn) {
      this.screen.tabIndex = 0;
      this.screen.setAttribute("role", "application");
      this.screen.setAttribute("aria-label", text("pointHere"));
    } else {
      for (const name of ["tabindex", "role", "aria-label"]) this.screen.removeAttribute(name);
    }
  }

  find(number) {
    return this.objects.find((object) => object.number === number);
  }

  choose(current) {
    this.current = current;
    this.subtract(false);
    this.list();
  }

  subtract(isOn) {
    this.panel.querySelector(".without").setAttribute("aria-pressed", String(isOn));
  }

  clear() {
    this.send({ type: "clear" });
    this.choose("new");
  }

  list() {
    const list = this.panel.querySelector(".objects");
    const chosen = this.current === "last" ? this.objects.at(-1)?.number : this.current;
    list.replaceChildren(
      ...this.objects.flatMap(({ number, lost }) => {
        const name = text(lost ? "lostObject" : "object", { number });
        const pick = button(name, name, () => this.choose(number));
        pick.setAttribute("aria-pressed", String(number === chosen));
        return [pick, button("×", text("removeObject", { number }), () => this.send({ type: "remove", object: number }))];
      }),
    );
    this.panel.querySelector(".another").setAttribute("aria-pressed", String(this.current === "new"));
    this.panel.querySelector(".without").disabled = this.current === "new";
  }

  down(event) {
    if (!this.isOn || !event.isPrimary || event.target.closest("button")) return;
    const place = this.placeOf(event);
    if (!place) return;
    this.pressed = { ...place, clientX: event.clientX, clientY: event.clientY, isDragged: false };
    this.screen.setPointerCapture(event.pointerId);
  }

  move(event) {
    if (!this.pressed) return;
    const [across, down] = [event.clientX - this.pressed.clientX, event.clientY - this.pressed.clientY];
    this.pressed.isDragged ||= Math.hypot(across, down) > DRAG_PX;
    if (!this.pressed.isDragged) return;
    const bounds = this.screen.getBoundingClientRect();
    this.box.hidden = false;
    Object.assign(this.box.style, {
      left: `${Math.min(event.clientX, this.pressed.clientX) - bounds.left}px`,
      top: `${Math.min(event.clientY, this.pressed.clientY) - bounds.top}px`,
      width: `${Math.abs(across)}px`,
      height: `${Math.abs(down)}px`,
    });
  }

  up(event) {
    const { pressed } = this;
    this.drop();
    if (!pressed) return;
    if (!pressed.isDragged) {
      this.mark(pressed, event.button === 2 || event.shiftKey);
      return;
    }
    const place = this.placeOf(event);
    if (!place) {
      this.say(text("outside"));
      return;
    }
    // The picture has gone on while the box was drawn: what is around the object is what is there now.
    this.send({ type: "box", pts_seconds: place.pts, corners: [pressed.at, place.at] });
    this.choose("last");
  }

  drop() {
    this.pressed = null;
    this.box.hidden = true;
  }

  mark({ pts, at }, isBeside) {
    const pressed = this.panel.querySelector(".without").getAttribute("aria-pressed") === "true";
    const on = !(isBeside || pressed);
    if (!on && this.current === "new") {
      this.say(text("pointFirst"));
      return;
    }
    this.send({ type: "point", pts_seconds: pts, at, on, object: this.current });
    if (this.current === "new") this.choose("last");
  }

  /** Post a message; what the server has against it is said. */
  async send(message) {
    if (this.section.dataset.state === "paused") {
      this.say(text("pausedClick"));
      return;
    }
    const response = await fetch(this.address, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(message),
    }).catch(() => null);
    if (response?.ok) return;
    const detail = (await response?.json().catch(() => null))?.detail;
    this.say(typeof detail === "string" ? detail : text("notConnected"));
  }

  /** Where something is in the frame that is shown, 0..1, and when that frame was; null beside the picture. */
  placeOf(event) {
    const place = pointedAt(event, this.video, this.frame);
    if (!place) return null;
    return { pts: this.shownSeconds(), at: [place.x / this.video.videoWidth, place.y / this.video.videoHeight] };
  }

  /** Of the frame that is shown; of the newest, where it is not known which one that is. */
  shownSeconds() {
    return (this.frame.shown ?? this.frame.newest).pts_seconds;
  }

  key(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!this.isOn || event.target !== this.screen) return;
    if (step) {
      const from = this.place ?? [0.5, 0.5];
      this.point(from.map((value, axis) => Math.min(0.999, Math.max(0, value + STEP * step[axis]))));
    } else if (this.place && ["Enter", " ", "-"].includes(event.key)) {
      this.mark({ pts: this.shownSeconds(), at: this.place }, event.key === "-");
    } else {
      return;
    }
    event.preventDefault();
  }

  /** Move the cross that keys steer; null takes it away. */
  point(place) {
    this.place = place;
    this.cross.hidden = place === null;
    if (place) Object.assign(this.cross.style, { left: `${100 * place[0]}%`, top: `${100 * place[1]}%` });
  }
}

function button(label, name, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = label;
  made.setAttribute("aria-label", name);
  made.onclick = act;
  return made;
}
