// The legend under a picture: a button a class, which isolates it, and a threshold a model.

import { number, text } from "./texts.js";

/** So long a class that is not seen any more keeps its button: what flickers cannot be clicked. */
const KEPT_MS = 10_000;

export class Legend {
  /**
   * @param {HTMLElement} root is filled
   * @param {{isolate: function(string | null), highlight: function(string | null),
   *   threshold: function(string, number)}} act what the viewer does
   */
  constructor(root, act) {
    this.root = root;
    this.act = act;
    this.groups = new Map();
    this.entries = new Map();
    this.isolated = null;
  }

  /**
   * Show which classes are in the picture.
   * @param {object[]} things that are drawn
   * @param {Iterable<object>} models all that speak, as the server's legend names them
   */
  update(things, models) {
    for (const legend of models) this.group(legend);
    const now = performance.now();
    const known = things.filter(({ model }) => this.groups.has(model));
    const counts = Map.groupBy(known, ({ key }) => key);
    for (const [key, found] of counts) this.entry(key, found[0]).seenAt = now;
    for (const [key, entry] of this.entries) {
      const isKept = now - entry.seenAt < KEPT_MS || key === this.isolated || entry.button.matches(":focus, :hover");
      if (!isKept) {
        entry.button.remove();
        this.entries.delete(key);
        continue;
      }
      this.count(entry, counts.get(key)?.length ?? 0);
    }
    this.root.dataset.several = String(this.groups.size > 1);
  }

  /** Mark the class that the pointer is on in the picture. */
  mark(marked) {
    for (const [key, { button }] of this.entries) button.toggleAttribute("data-marked", key === marked);
  }

  translate() {
    for (const group of this.groups.values()) this.name(group);
    for (const entry of this.entries.values()) this.count(entry, entry.number);
  }

  group({ model, task }) {
    if (this.groups.has(model)) return;
    const root = document.getElementById("legend-group").content.cloneNode(true).firstElementChild;
    const group = { model, root, classes: root.querySelector(".classes"), slider: root.querySelector("input") };
    root.querySelector(".model").textContent = model;
    // What speaks of the whole picture has nothing that could stand alone in it; maps of classes have no scores.
    group.classes.hidden = task.includes("classification");
    root.querySelector(".threshold").hidden = task === "semantic_segmentation";
    group.slider.oninput = () => {
      this.act.threshold(model, group.slider.valueAsNumber);
      this.name(group);
    };
    this.groups.set(model, group);
    this.name(group);
    this.root.append(root);
  }

  name({ model, root, slider }) {
    root.querySelector(".threshold span").textContent = text("threshold");
    const shown = `${number(100 * slider.valueAsNumber)} %`;
    root.querySelector("output").textContent = shown;
    slider.setAttribute("aria-label", text("thresholdOf", { name: model }));
    slider.setAttribute("aria-valuetext", shown);
  }

  entry(key, { model, label, colour }) {
    const known = this.entries.get(key);
    if (known) {
      known.swatch.style.backgroundColor = colour;
      return known;
    }
    const button = document.getElementById("legend-class").content.cloneNode(true).firstElementChild;
    const entry = { button, label, swatch: button.querySelector(".swatch"), number: 0 };
    entry.swatch.style.backgroundColor = colour;
    button.querySelector(".label").textContent = label;
    button.onclick = () => this.isolate(key === this.isolated ? null : key);
    button.onpointerenter = button.onfocus = () => this.act.highlight(key);
    button.onpointerleave = button.onblur = () => this.act.highlight(null);
    this.entries.set(key, entry);
    this.groups.get(model).classes.append(button);
    return entry;
  }

  count(entry, count) {
    entry.number = count;
    entry.button.toggleAttribute("data-absent", count === 0);
    entry.button.querySelector(".count").textContent = number(count);
    entry.button.setAttribute("aria-label", text("isolate", { name: entry.label, count: number(count) }));
  }

  isolate(key) {
    this.isolated = key;
    for (const [other, { button }] of this.entries) button.setAttribute("aria-pressed", String(other === key));
    this.act.isolate(key);
  }
}
