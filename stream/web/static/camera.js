// The page of one's own camera: sends it, shows what comes back, and lets people keep it.

import { CameraPlayer } from "./camera_player.js";
import { Recording, saveSnapshot } from "./keepsakes.js";
import { LocalCamera } from "./local_camera.js";
import { offerLanguages, text } from "./texts.js";

const SHOWN_EVERY_MS = 500;
const LOOK_AGAIN_MS = 3000;
const MOST_LABELS = 5;

const byId = (id) => document.getElementById(id);
const main = document.querySelector("main");
const video = document.querySelector("video");
const notice = byId("notice");
const camera = new LocalCamera();
let state = "stopped";
let recording = null;
let results = {};
let said = null;

const player = new CameraPlayer(video, {
  state: (now) => show(now === "live" && player.track === null ? "cameraOff" : now),
  frame: (message) => (results = message.results),
  shown: () => {},
  figures: () => {},
});

/** Show how it is: `stopped`, `cameraOff`, or a state of the player. */
function show(now) {
  state = now;
  main.dataset.state = now;
  const line = text(now);
  const status = main.querySelector(".state");
  if (status.textContent !== line) status.textContent = line;
  const isOn = now !== "stopped";
  name("start", isOn ? "stopCamera" : "startCamera");
  name("mute", player.track === null && isOn ? "video_on" : "video_off");
  byId("mute").disabled = !isOn;
  for (const id of ["snapshot", "record"]) byId(id).disabled = now !== "live" && !recording;
}

function name(id, key, values = {}) {
  byId(id).dataset.text = key;
  byId(id).textContent = text(key, values);
}

function say(key, values = {}) {
  said = key ? { key, values } : null;
  notice.textContent = key ? text(key, values) : "";
}

/** Take the camera as it is chosen; whether there is one. */
async function openCamera() {
  const [width, height] = byId("size").value.split("x").map(Number);
  try {
    const track = await camera.open(byId("device").value, { width, height });
    track.onended = () => camera.track === track && mute();
    say(null);
    await listCameras();
    return true;
  } catch (error) {
    if (!error.reason) throw error;
    say(error.reason);
    return false;
  }
}

async function start() {
  if (!(await openCamera())) return;
  if (camera.looksAway) mirror(false);
  player.track = camera.track;
  player.startAt(byId("like").value);
}

function stop() {
  recording?.stop();
  player.stop();
  player.track = null;
  camera.close();
  video.srcObject = null;
  results = {};
  show("stopped");
}

/** Let the camera go, and stay connected. */
async function mute() {
  camera.close();
  await player.send(null);
  show("cameraOff");
}

/** Take the camera again, or another one, or another size of it. */
async function changeCamera() {
  if (state === "stopped") return;
  if (!(await openCamera())) {
    await mute();
    return;
  }
  await player.send(camera.track);
  show("live");
}

function mirror(isMirrored) {
  byId("mirror").setAttribute("aria-pressed", String(isMirrored));
  player.mirror(isMirrored);
}

function record() {
  if (recording) {
    recording.stop();
    return;
  }
  try {
    recording = new Recording(video.srcObject, (file) => {
      recording = null;
      byId("record").setAttribute("aria-pressed", "false");
      name("record", "record");
      say("recorded", { name: file });
      show(state);
    });
    byId("record").setAttribute("aria-pressed", "true");
  } catch {
    say("cannotRecord");
  }
}

async function listCameras() {
  const choice = byId("device");
  const chosen = camera.deviceId || choice.value;
  const devices = await camera.all();
  choice.replaceChildren(
    ...devices.map(({ deviceId, label }, index) => {
      const option = new Option(label || text("otherCamera", { number: index + 1 }), deviceId);
      option.selected = deviceId === chosen;
      return option;
    }),
  );
}

/** Ask which streams' models there are for visitors. */
async function listStreams() {
  const response = await fetch("/api/streams").catch(() => null);
  if (response?.status === 401) {
    // The first page asks for the token.
    location.assign("/");
    return;
  }
  if (!response?.ok) {
    say("noServer");
    setTimeout(listStreams, LOOK_AGAIN_MS);
    return;
  }
  const streams = (await response.json()).filter((stream) => stream.camera);
  byId("like").replaceChildren(...streams.map((stream) => new Option(stream.title, stream.camera)));
  byId("like").parentElement.hidden = streams.length < 2;
  byId("start").disabled = !streams.length;
  if (!streams.length) say("noCameras");
  else if (said?.key === "noServer") say(null);
}

function showSeen() {
  const labels = Object.values(results).flatMap((result) =>
    (result.detections ?? result.labels ?? result.segments ?? []).map(({ label }) => label),
  );
  main.querySelector(".seen").textContent = [...new Set(labels)].slice(0, MOST_LABELS).join(", ");
  if (recording) {
    const minutes = Math.floor(recording.seconds / 60);
    const seconds = String(Math.floor(recording.seconds % 60)).padStart(2, "0");
    name("record", "stopRecording", { time: `${minutes}:${seconds}` });
  }
}

byId("start").onclick = () => (state === "stopped" ? start() : stop());
byId("mute").onclick = () => (player.track ? mute() : changeCamera());
byId("mirror").onclick = () => mirror(!player.isMirrored);
byId("snapshot").onclick = async () => say("recorded", { name: await saveSnapshot(video) });
byId("record").onclick = record;
byId("full").onclick = () => main.querySelector(".screen").requestFullscreen();
byId("device").onchange = changeCamera;
byId("size").onchange = changeCamera;
byId("like").onchange = () => {
  if (state !== "stopped") player.startAt(byId("like").value);
};
video.onresize = () => {
  main.querySelector(".screen").style.aspectRatio = `${video.videoWidth} / ${video.videoHeight}`;
};
navigator.mediaDevices?.addEventListener("devicechange", listCameras);
addEventListener("pagehide", stop);
offerLanguages(byId("language"), () => {
  video.setAttribute("aria-label", text("cameraPicture"));
  if (said) say(said.key, said.values);
  show(state);
});
if (!navigator.mediaDevices) say("insecure");
listStreams();
listCameras();
setInterval(showSeen, SHOWN_EVERY_MS);
