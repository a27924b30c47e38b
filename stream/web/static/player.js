// Watches one stream by WHEP, and comes back by itself when the connection is lost.

import { connectionSettings, stepOf } from "./ice.js";
import { ShownFrame } from "./shown_frame.js";

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 4000;
const GATHERING_MS = 1000;
// The server sends its figures every two seconds: after so long a silence it has gone.
const SILENCE_MS = 7000;
const PING_EVERY_MS = 2000;
// From the answer on, and again from the connection to the first picture.
const STEP_MS = 8000;

export class Player {
  /**
   * @param {string} url where the offer is posted
   * @param {HTMLVideoElement} video
   * @param {{state: function(string, object), frame: function(object), shown: function(),
   *   figures: function(object)}} tell what happens; `shown`: another frame is on the screen, or its message has come;
   *   `state` is told the attempt, and its step that failed: `signalling`, `ice`, `dtls` or `media`
   */
  constructor(url, video, tell) {
    this.url = url;
    this.video = video;
    this.tell = tell;
    this.connection = null;
    this.session = null;
    this.retryMs = FIRST_RETRY_MS;
    this.timer = 0;
    this.attempt = 0;
    this.failures = 0;
    this.frame = new ShownFrame();
    /** How many pictures this connection has shown. */
    this.presented = 0;
  }

  /** Watch, from now on at this address. */
  startAt(url) {
    this.url = url;
    this.start();
  }

  start() {
    this.stop();
    this.connect(++this.attempt);
  }

  /** End the session; the server hears of it even where the page is being closed. */
  stop() {
    this.attempt++;
    clearTimeout(this.timer);
    clearTimeout(this.waiting);
    clearInterval(this.pinging);
    this.connection?.close();
    this.connection = null;
    if (this.session) {
      fetch(this.session, { method: "DELETE", keepalive: true }).catch(() => {});
      this.session = null;
    }
  }

  async connect(attempt) {
    // While it tries again and again, that is what it says.
    if (!this.failures) this.tell.state("connecting", {});
    const { iceServers = [] } = await connectionSettings();
    if (attempt !== this.attempt) return;
    const connection = new RTCPeerConnection({ iceServers });
    this.connection = connection;
    this.frame.begin();
    this.presented = 0;
    this.offsets = [];
    this.latencyMs = null;
    try {
      this.addVideo(connection).receiver.jitterBufferTarget = 0;
      this.channel = connection.createDataChannel("results", { ordered: false, maxRetransmits: 0 });
      this.receive(this.channel, attempt);
      connection.ontrack = ({ track }) => {
        this.video.srcObject = new MediaStream([track]);
        this.video.play().catch(() => {});
        this.follow(attempt);
      };
      connection.onconnectionstatechange = () => {
        if (connection.connectionState === "connected") {
          this.retryMs = FIRST_RETRY_MS;
          this.failures = 0;
          this.tell.state("live", {});
          this.expectProgress(attempt);
        } else if (["failed", "closed"].includes(connection.connectionState)) {
          this.lost(attempt, "waiting", this.session && stepOf(connection));
        }
      };
      await connection.setLocalDescription();
      await gathered(connection);
      const response = await fetch(this.url, {
        method: "POST",
        headers: { "Content-Type": "application/sdp" },
        body: connection.localDescription.sdp,
      });
      if (response.status !== 201) {
        this.lost(attempt, { 406: "unusable", 503: "full" }[response.status] ?? "waiting", "signalling");
        return;
      }
      if (attempt !== this.attempt) {
        fetch(response.headers.get("Location"), { method: "DELETE", keepalive: true }).catch(() => {});
        return;
      }
      this.session = response.headers.get("Location");
      await connection.setRemoteDescription({ type: "answer", sdp: await response.text() });
      this.heardAt = performance.now();
      if (connection.connectionState !== "connected") this.expectProgress(attempt);
    } catch (error) {
      console.debug("mirilla:", error);
      this.lost(attempt, "waiting", "signalling");
    }
  }

  /** Say what is to be received, and perhaps sent. */
  addVideo(connection) {
    return connection.addTransceiver("video", { direction: "recvonly" });
  }

  /** Give the attempt up where nothing has become better of it after a while. */
  expectProgress(attempt) {
    clearTimeout(this.waiting);
    const before = stepOf(this.connection);
    this.waiting = setTimeout(async () => {
      const received = (await this.statistics())?.framesReceived ?? 0;
      if (attempt !== this.attempt || received) return;
      const step = stepOf(this.connection);
      if (step === before) this.lost(attempt, "waiting", step);
      else this.expectProgress(attempt);
    }, STEP_MS);
  }

  /** Try again after a while that doubles, unless something newer has begun. */
  lost(attempt, state, step = null) {
    if (attempt !== this.attempt) return;
    this.stop();
    this.tell.state(state, { attempt: ++this.failures, step });
    const again = this.attempt;
    this.timer = setTimeout(() => again === this.attempt && this.start(), this.retryMs * (0.8 + 0.4 * Math.random()));
    this.retryMs = Math.min(2 * this.retryMs, LONGEST_RETRY_MS);
  }

  receive(channel, attempt) {
    channel.onopen = () => {
      const ping = () => {
        if (performance.now() - this.heardAt > SILENCE_MS) this.lost(attempt, "waiting");
        else channel.send(JSON.stringify({ type: "ping", sent: performance.now() }));
      };
      this.heardAt = performance.now();
      this.pinging = setInterval(ping, PING_EVERY_MS);
      ping();
      this.opened(channel);
    };
    channel.onclose = () => this.lost(attempt, "waiting");
    channel.onmessage = ({ data }) => {
      this.heardAt = performance.now();
      const message = JSON.parse(data);
      if (message.type === "frame") {
        this.tell.frame(message);
        if (this.frame.add(message)) this.tell.shown();
        else if (!this.video.requestVideoFrameCallback) this.show({});
      } else if (message.type === "figures") {
        this.frame.isStale = message.figures.stale_seconds !== null;
        this.tell.figures(message.figures);
      } else if (message.type === "origin") {
        this.frame.origin = message.rtp_origin;
      } else if (message.type === "pong") {
        this.setClock(message);
      }
    };
  }

  /** The server can be spoken to. */
  opened() {}

  /** The server's clock against this one, from the quickest of the last answers (Cristian 1989). */
  setClock({ sent, server_ms: serverMs }) {
    const now = performance.now();
    const offset = serverMs - (performance.timeOrigin + (sent + now) / 2);
    this.offsets = [...this.offsets, { roundTrip: now - sent, offset }].slice(-10);
  }

  /** Hear of every frame that is shown. */
  follow(attempt) {
    if (!this.video.requestVideoFrameCallback) return;
    const shown = (_, metadata) => {
      if (attempt !== this.attempt) return;
      this.video.requestVideoFrameCallback(shown);
      this.presented++;
      this.show(metadata);
    };
    this.video.requestVideoFrameCallback(shown);
  }

  /** Find the message of the frame that is shown, and read off when it was captured. */
  show({ rtpTimestamp, expectedDisplayTime }) {
    const own = this.frame.show(rtpTimestamp);
    this.tell.shown();
    if (!own || !this.offsets.length) return;
    const { offset } = this.offsets.reduce((best, one) => (one.roundTrip < best.roundTrip ? one : best));
    const latency = performance.timeOrigin + expectedDisplayTime + offset - own.captured_at;
    this.latencyMs = this.latencyMs === null ? latency : 0.9 * this.latencyMs + 0.1 * latency;
  }

  /** What WebRTC counts of the received video; null before there is any. */
  async statistics() {
    if (!this.connection) return null;
    const report = await this.connection.getStats();
    for (const entry of report.values()) {
      if (entry.type === "inbound-rtp" && entry.kind === "video") {
        return { ...entry, codec: report.get(entry.codecId)?.mimeType.replace("video/", "") ?? null };
      }
    }
    return null;
  }
}

/** When all candidates are known, or enough was waited for them. */
function gathered(connection) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, GATHERING_MS);
    const check = () => {
      if (connection.iceGatheringState === "complete") {
        clearTimeout(timer);
        resolve();
      }
    };
    connection.onicegatheringstatechange = check;
    check();
  });
}
