// From a place on the screen to a pixel of the frame that is shown there.

/**
 * Where the picture lies within its video element, which may be larger on two sides.
 * @param {HTMLVideoElement} video
 * @returns {{left: number, top: number, width: number, height: number, scale: number} | null} in CSS pixels, from the
 *   element's upper left corner; `scale` is CSS pixels a pixel of the frame; null before there is a picture
 */
export function pictureArea(video) {
  const { videoWidth, videoHeight } = video;
  const bounds = video.getBoundingClientRect();
  if (!videoWidth || !bounds.width || !bounds.height) return null;
  const scale = Math.min(bounds.width / videoWidth, bounds.height / videoHeight);
  const [width, height] = [videoWidth * scale, videoHeight * scale];
  return { left: (bounds.width - width) / 2, top: (bounds.height - height) / 2, width, height, scale };
}

/**
 * What a pointer points at.
 * @param {{clientX: number, clientY: number}} event
 * @param {HTMLVideoElement} video
 * @param {import("./shown_frame.js").ShownFrame} frame
 * @returns {{x: number, y: number, pts: number | null, index: number | null} | null} pixels of the frame, and which
 *   frame it is, as its message named it; null beside the picture
 */
export function pointedAt({ clientX, clientY }, video, frame) {
  const area = pictureArea(video);
  if (!area) return null;
  const bounds = video.getBoundingClientRect();
  const x = (clientX - bounds.left - area.left) / area.scale;
  const y = (clientY - bounds.top - area.top) / area.scale;
  if (x < 0 || y < 0 || x >= video.videoWidth || y >= video.videoHeight) return null;
  return { x, y, pts: frame.shown?.pts ?? null, index: frame.shown?.index ?? null };
}
