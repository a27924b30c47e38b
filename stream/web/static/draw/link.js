// The line to the server: strokes go as they are drawn, guesses come back; it mends itself when it breaks.

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 4000;
const MOST_BUFFERED = 16384;
const LOOK_AGAIN_MS = 30;
const MOST_POINTS_AT_ONCE = 1000;

export class Link {
  /**
   * @param {string} path of the WebSocket
   * @param {function(): import("./strokes.js").Stroke[]} strokes what is on the sheet now
   * @param {{state: function(string), guesses: function(object[], number?), shared: function(string?)}} tell
   *   of the connection, of guesses and when the oldest movement that they are the first to know of was made, and of
   *   the stream that others can watch
   */
  constructor(path, strokes, tell) {
    this.url = new URL(path, location.href);
    this.url.protocol = this.url.protocol.replace("http", "ws");
    this.strokes = strokes;
    this.tell = tell;
    this.seq = 0;
    this.freshFrom = 0;
    this.sent = new Map();
    this.waiting = [];
    this.model = null;
    this.isShared = false;
    this.retryMs = FIRST_RETRY_MS;
    this.isWanted = false;
  }

  open() {
    this.isWanted = true;
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.onopen = () => {
      this.retryMs = FIRST_RETRY_MS;
      this.tell.state("open");
      this.sent.clear();
      if (this.model) this.say({ type: "model", name: this.model });
      if (this.isShared) this.say({ type: "share", is_on: true });
      this.flush();
    };
    socket.onmessage = ({ data }) => this.hear(JSON.parse(data));
    socket.onclose = ({ code }) => {
      if (this.socket !== socket || !this.isWanted) return;
      this.tell.state(code === 1013 ? "full" : "lost");
      this.waiting = [];
      setTimeout(() => this.isWanted && this.open(), this.retryMs * (0.8 + 0.4 * Math.random()));
      this.retryMs = Math.min(2 * this.retryMs, LONGEST_RETRY_MS);
    };
  }

  close() {
    this.isWanted = false;
    this.socket?.close();
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  /** A stroke has grown by a movement that was made at this time. */
  grown(at) {
    this.since = Math.min(this.since ?? at, at);
    if (!this.isFlushing) {
      this.isFlushing = true;
      // All points of one movement go together.
      queueMicrotask(() => {
        this.isFlushing = false;
        this.flush();
      });
    }
  }

  removed(strokes) {
    for (const { id } of strokes) this.sent.delete(id);
    if (this.isOpen) this.say({ type: "remove", strokes: strokes.map(({ id }) => id) });
  }

  /** The sheet is blank: what comes back of the last one counts no more. */
  cleared() {
    this.sent.clear();
    if (this.isOpen) this.say({ type: "clear" });
    this.freshFrom = this.seq;
  }

  choose(model) {
    this.model = model;
    if (this.isOpen) this.say({ type: "model", name: model });
  }

  share(isShared) {
    this.isShared = isShared;
    if (this.isOpen) this.say({ type: "share", is_on: isShared });
  }

  /** Send what is on the sheet and not yet on its way; later, where the line is slow. */
  flush() {
    clearTimeout(this.later);
    if (!this.isOpen) return;
    for (const stroke of this.strokes()) {
      const { id, x, y, width } = stroke;
      for (let from = this.sent.get(id) ?? 0; from < x.length; from = this.sent.get(id)) {
        if (this.socket.bufferedAmount > MOST_BUFFERED) {
          this.later = setTimeout(() => this.flush(), LOOK_AGAIN_MS);
          return;
        }
        const to = Math.min(from + MOST_POINTS_AT_ONCE, x.length);
        this.say({ type: "add", stroke: id, x: x.slice(from, to), y: y.slice(from, to), width: width.slice(from, to) });
        this.sent.set(id, to);
      }
    }
    if (this.since !== undefined) this.waiting.push({ seq: this.seq, at: this.since });
    this.since = undefined;
  }

  say(message) {
    this.socket.send(JSON.stringify({ ...message, seq: ++this.seq }));
  }

  hear(message) {
    if (message.type === "guesses" && message.seq >= this.freshFrom) {
      const known = this.waiting.filter(({ seq }) => seq <= message.seq);
      this.waiting = this.waiting.filter(({ seq }) => seq > message.seq);
      this.tell.guesses(message.guesses, known[0]?.at);
    } else if (message.type === "shared") {
      this.tell.shared(message.stream);
    } else if (message.type === "refused") {
      console.warn("mirilla:", message.reason);
    }
  }
}
