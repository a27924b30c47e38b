// Pictures and recordings of what is shown, saved by the browser; the server keeps none.

const FORMATS = ["video/mp4;codecs=avc1.42E01E", "video/webm;codecs=vp9", "video/webm;codecs=vp8", "video/webm"];
const EVERY_MS = 1000;

/** Save what a video shows at this moment as PNG; returns the file's name. */
export async function saveSnapshot(video) {
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  const picture = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  return save(picture, "png");
}

export class Recording {
  /**
   * Record from now on.
   * @param {MediaStream} stream
   * @param {function(string)} saved called with the file's name, also where the stream ended by itself
   * @throws {Error} where the browser cannot record
   */
  constructor(stream, saved) {
    const mimeType = FORMATS.find((format) => MediaRecorder.isTypeSupported(format));
    const parts = [];
    this.beganMs = performance.now();
    this.recorder = new MediaRecorder(stream, { mimeType });
    this.recorder.ondataavailable = ({ data }) => parts.push(data);
    this.recorder.onstop = () => {
      const type = this.recorder.mimeType.split(";")[0];
      saved(save(new Blob(parts, { type }), type.split("/")[1]));
    };
    this.recorder.start(EVERY_MS);
  }

  get seconds() {
    return (performance.now() - this.beganMs) / 1000;
  }

  stop() {
    if (this.recorder.state !== "inactive") this.recorder.stop();
  }
}

function save(blob, ending) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `mirilla-${new Date().toISOString().slice(0, 19).replace(/[:T]/g, "-")}.${ending}`;
  link.click();
  // The browser reads it after this returns.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return link.download;
}
