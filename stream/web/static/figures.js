// The panel of figures under a stream: what this browser receives, and what the server says of itself.

import { Trace } from "./graph.js";
import { number, text } from "./texts.js";

/** Of those stages that belong to no model; encoding for viewers is a part of the last. */
const SERVER_STAGES = ["decode", "carry", "overlay", "write"];

export class Figures {
  /** @param {HTMLElement} root its `dl` and its graphs are filled */
  constructor(root) {
    this.list = root.querySelector("dl");
    this.traces = [
      ["latency", "latencyMs", milliseconds],
      ["received", "received", rate],
      ["bitrate", "kbits", kilobits],
    ].map(([key, source, inWords]) => Object.assign(new Trace(root.querySelector(".traces"), key, inWords), { source }));
    this.before = null;
    this.server = null;
    this.stageMs = new Map();
  }

  /** Count anew: another connection begins. */
  begin() {
    this.before = null;
  }

  /** Take the server's figures. */
  tellServer(figures) {
    this.server = figures;
  }

  /** Take the stage times of one frame: smoothed, because they jump. */
  tellStages(stageMs) {
    const { encode, ...models } = stageMs;
    for (const [owner, stages] of [...Object.entries(models), ["", { encode }]]) {
      for (const [stage, ms] of Object.entries(stages)) {
        const key = `stage ${owner} ${stage}`;
        const before = this.stageMs.get(key)?.ms ?? ms;
        this.stageMs.set(key, { owner, stage, ms: 0.9 * before + 0.1 * ms });
      }
    }
  }

  /**
   * Take what was received in the last second.
   * @param {object | null} now of the received video, as `Player.statistics` gives them
   * @param {number | null} latencyMs from capture to screen
   * @param {number} presented how many pictures were shown so far
   */
  take(now, latencyMs, presented) {
    this.latencyMs = now ? latencyMs : null;
    this.now = now;
    const seconds = now && this.before ? (now.timestamp - this.before.timestamp) / 1000 : 0;
    const since = (value, before) => (seconds > 0 ? (value - before) / seconds : null);
    this.shown = since(presented, this.before?.presented);
    this.received = since(now?.framesReceived, this.before?.framesReceived);
    this.kbits = since(now?.bytesReceived * 0.008, this.before?.bytesReceived * 0.008);
    this.before = now && { ...now, presented };
    this.traces.forEach((trace) => trace.add(this[trace.source]));
  }

  /** Show all figures of this moment. */
  show() {
    const { now } = this;
    const rows = [["shown", rate(this.shown)]];
    if (now) {
      rows.push(
        ["codec", now.codec && `${now.codec} ${now.frameWidth ?? "?"}×${now.frameHeight ?? "?"}`],
        ["lost", number(now.packetsLost)],
        ["dropped", number(now.framesDropped ?? 0)],
      );
    }
    if (this.server) {
      const dropped = Object.values(this.server.dropped).reduce((sum, count) => sum + count, this.server.left_out);
      rows.push(
        ["sourceRate", rate(this.server.source_fps)],
        ["outputRate", rate(this.server.output_fps)],
        ["serverLatency", milliseconds(this.server.latency_ms.p50)],
        ["serverDropped", number(dropped)],
        ...SERVER_STAGES.map((stage) => [stage, milliseconds(this.server.stage_ms[stage])]).filter(([, ms]) => ms),
      );
    }
    this.write([
      ...rows.map(([key, value]) => [key, text(key), value]),
      ...[...this.stageMs].map(([key, { owner, stage, ms }]) => [key, stageName(owner, stage), milliseconds(ms)]),
    ]);
    this.traces.forEach((trace) => trace.show());
  }

  write(rows) {
    const keys = rows.map(([key]) => key).join();
    if (this.list.dataset.keys !== keys) {
      this.list.dataset.keys = keys;
      this.list.replaceChildren(
        ...rows.map(([key]) => {
          const row = document.createElement("div");
          row.dataset.figure = key;
          row.append(document.createElement("dt"), document.createElement("dd"));
          return row;
        }),
      );
    }
    rows.forEach(([, name, value], index) => {
      const [term, description] = this.list.children[index].children;
      term.textContent = name;
      description.textContent = value ?? text("unknown");
    });
  }
}

function stageName(owner, stage) {
  const name = text(stage);
  return owner ? `${owner}: ${name}` : name;
}

function kilobits(value) {
  return value === null ? null : `${number(value)} kbit/s`;
}

function rate(value) {
  return value === null || value === undefined ? null : text("perSecond", { value: number(value, 1) });
}

function milliseconds(value) {
  return value === undefined || value === null ? null : `${number(value, 1)} ms`;
}
