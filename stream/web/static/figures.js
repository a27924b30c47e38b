// The panel of figures under a stream: what this browser receives, and what the server says of itself.

import { number, text } from "./texts.js";

export class Figures {
  /** @param {HTMLElement} list the `dl` that is filled */
  constructor(list) {
    this.list = list;
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
   * Show all figures of this moment.
   * @param {object | null} now of the received video, as `Player.statistics` gives them
   * @param {number | null} latencyMs from capture to screen
   * @param {VideoPlaybackQuality} quality
   */
  show(now, latencyMs, quality) {
    const rows = [["latency", latencyMs === null ? null : milliseconds(latencyMs)]];
    if (now) {
      const seconds = this.before ? (now.timestamp - this.before.timestamp) / 1000 : 0;
      const since = (key) => (seconds > 0 ? (now[key] - this.before[key]) / seconds : null);
      const shown = seconds > 0 ? (quality.totalVideoFrames - this.before.shown) / seconds : null;
      rows.push(
        ["shown", rate(shown)],
        ["received", rate(since("framesReceived"))],
        ["bitrate", seconds > 0 ? `${number((since("bytesReceived") * 8) / 1000)} kbit/s` : null],
        ["codec", now.codec && `${now.codec} ${now.frameWidth ?? "?"}×${now.frameHeight ?? "?"}`],
        ["lost", number(now.packetsLost)],
        ["dropped", number(now.framesDropped ?? 0)],
      );
      this.before = { ...now, shown: quality.totalVideoFrames };
    }
    if (this.server) {
      const dropped = Object.values(this.server.dropped).reduce((sum, count) => sum + count, this.server.left_out);
      rows.push(
        ["sourceRate", rate(this.server.source_fps)],
        ["outputRate", rate(this.server.output_fps)],
        ["serverLatency", milliseconds(this.server.latency_ms.p50)],
        ["serverDropped", number(dropped)],
      );
    }
    this.write([
      ...rows.map(([key, value]) => [key, text(key), value]),
      ...[...this.stageMs].map(([key, { owner, stage, ms }]) => [key, stageName(owner, stage), milliseconds(ms)]),
    ]);
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

function rate(value) {
  return value === null || value === undefined ? null : text("perSecond", { value: number(value, 1) });
}

function milliseconds(value) {
  return value === undefined ? null : `${number(value, 1)} ms`;
}
