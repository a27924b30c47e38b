// Which frame is on the screen: the messages of the data channel, found again by the RTP time stamp of the picture.

const MESSAGES_KEPT = 150;
/** Ticks of the RTP clock. */
const TICKS_PER_MS = 90;
/** So long what was seen last stays on pictures whose own message was lost. */
const HOLD_TICKS = 250 * TICKS_PER_MS;

export class ShownFrame {
  constructor() {
    this.begin();
  }

  /** Forget everything: another connection begins. */
  begin() {
    this.messages = new Map();
    this.newest = null;
    /** The message of the frame that is shown, or of the last one before it that had one. */
    this.shown = null;
    this.pts = null;
    this.origin = null;
    /** Whether the source has stalled: the same picture is sent again, and nothing is said of it. */
    this.isStale = false;
  }

  /**
   * Take the message of a frame.
   * @returns {boolean} whether its picture is on the screen already
   */
  add(message) {
    this.newest = message;
    this.messages.set(message.pts, message);
    if (this.messages.size > MESSAGES_KEPT) this.messages.delete(this.messages.keys().next().value);
    if (message.pts !== this.pts) return false;
    this.shown = message;
    return true;
  }

  /**
   * Hear that a picture is shown.
   * @param {number | undefined} rtpTimestamp where the browser tells it
   * @returns {object | null} its own message
   */
  show(rtpTimestamp) {
    if (rtpTimestamp === undefined) {
      // A browser that does not say which picture it shows: the newest is the best guess.
      this.shown = this.newest;
      return null;
    }
    if (this.origin === null) return null;
    this.pts = (rtpTimestamp - this.origin) >>> 0;
    const own = this.messages.get(this.pts) ?? null;
    const isHeld = this.shown && (this.isStale || this.pts - this.shown.pts <= HOLD_TICKS);
    this.shown = own ?? (isHeld ? this.shown : null);
    return own;
  }
}
