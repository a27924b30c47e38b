// What helps a connection come about, and where one that did not come about got stuck.

const KEPT_MS = 10 * 60 * 1000;

let kept = null;

/** What the server says of connections: `iceServers` for `RTCPeerConnection`; an empty object where it does not answer. */
export async function connectionSettings() {
  // Credentials run out, but not so soon.
  if (!kept || performance.now() - kept.at > KEPT_MS) {
    const response = await fetch("/api/connection").catch(() => null);
    if (!response?.ok) return {};
    kept = { at: performance.now(), settings: await response.json() };
  }
  return kept.settings;
}

/**
 * The step that a connection with an answer is at: `ice`, where no way to the server is found; `dtls`, where the way is
 * there, but not the encryption; `media`, where only pictures are missing.
 * @param {RTCPeerConnection} connection
 */
export function stepOf(connection) {
  if (connection.connectionState === "connected") return "media";
  const transport = connection.sctp?.transport ?? connection.getReceivers()[0]?.transport;
  const found = ["connected", "completed"].includes(connection.iceConnectionState);
  return found || ["connecting", "failed"].includes(transport?.state) ? "dtls" : "ice";
}
