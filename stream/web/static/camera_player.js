// Sends the camera and plays what comes back, on one connection.

import { Player } from "./player.js";

export class CameraPlayer extends Player {
  /** Like a Player's; `track` is set before it starts. */
  constructor(video, tell) {
    super("", video, tell);
    this.track = null;
    this.isMirrored = true;
    this.sender = null;
  }

  addVideo(connection) {
    const transceiver = connection.addTransceiver(this.track ?? "video", { direction: "sendrecv" });
    this.sender = transceiver.sender;
    return transceiver;
  }

  opened() {
    this.sayHow();
    // Who has chosen a size gets it: where time or the network lacks, pictures come more seldom.
    const parameters = this.sender.getParameters();
    parameters.degradationPreference = "maintain-resolution";
    this.sender.setParameters(parameters).catch(() => {});
  }

  /** Send another picture from now on, or none. */
  async send(track) {
    this.track = track;
    await this.sender?.replaceTrack(track);
    this.sayHow();
  }

  mirror(isMirrored) {
    this.isMirrored = isMirrored;
    this.sayHow();
  }

  /** Tell the server how the camera is: it turns the picture before models see it, so that writing is not turned. */
  sayHow() {
    if (this.channel?.readyState !== "open") return;
    const about = { type: "camera", mirrored: this.isMirrored, on: this.track !== null };
    this.channel.send(JSON.stringify(about));
  }
}
