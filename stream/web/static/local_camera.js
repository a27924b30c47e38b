// This device's cameras: which there are, and the picture of the chosen one.

const FRAMES_A_SECOND = 30;

/** Why there is no picture, as a key of the page's texts. */
const REASONS = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "noCamera",
  OverconstrainedError: "noCamera",
  NotReadableError: "cameraBusy",
  AbortError: "cameraBusy",
};

export class CameraError extends Error {
  /** @param {string} reason a key of the page's texts */
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

export class LocalCamera {
  constructor() {
    this.track = null;
  }

  /**
   * Take a camera's picture; the one that was taken before is let go.
   * @param {string} deviceId of the camera; empty for the browser's choice
   * @param {{width: number, height: number}} size which the camera may not have exactly
   * @returns {Promise<MediaStreamTrack>}
   */
  async open(deviceId, { width, height }) {
    // Some cameras cannot be opened twice.
    this.close();
    if (!navigator.mediaDevices) throw new CameraError("insecure");
    const wishes = { width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: FRAMES_A_SECOND } };
    const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: "user" };
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: { ...wishes, ...which } });
      [this.track] = stream.getVideoTracks();
    } catch (error) {
      throw new CameraError(REASONS[error.name] ?? "cameraBusy");
    }
    return this.track;
  }

  /** Let the camera go: its light goes out. */
  close() {
    this.track?.stop();
    this.track = null;
  }

  /** The camera that is open; empty where none is. */
  get deviceId() {
    return this.track?.getSettings().deviceId ?? "";
  }

  /** Whether the open camera looks away from the person, as a telephone's on its back does. */
  get looksAway() {
    return this.track?.getSettings().facingMode === "environment";
  }

  /** All cameras; browsers tell names only once one was allowed. */
  async all() {
    const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    return devices.filter(({ kind }) => kind === "videoinput");
  }
}
