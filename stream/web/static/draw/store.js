// Keeps drawings in this browser (IndexedDB); none of them goes to the server.

const NAME = "mirilla-drawings";
const STORE = "drawings";

/**
 * A drawing that was kept.
 * @typedef {{key: string, word: string, recognized: boolean, seen: string[], at: string,
 *   strokes: import("./strokes.js").Stroke[]}} Kept
 *   key: digits, different for every drawing; seen: what it was taken for, best first; at: ISO 8601
 */

let opening = null;

function opened() {
  opening ??= asPromise(indexedDB.open(NAME, 1), (request) => {
    request.result.createObjectStore(STORE, { keyPath: "key" });
  });
  return opening;
}

function asPromise(request, upgrade) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    if (upgrade) request.onupgradeneeded = () => upgrade(request);
  });
}

async function stored(mode, ask) {
  const database = await opened();
  return asPromise(ask(database.transaction(STORE, mode).objectStore(STORE)));
}

/** @returns {Promise<Kept[]>} the oldest first */
export const allKept = () => stored("readonly", (store) => store.getAll());

/** @param {Omit<Kept, "key" | "at">} drawing */
export function keep(drawing) {
  const now = new Date();
  const key = `${now.getTime()}${String(Math.floor(Math.random() * 1000)).padStart(3, "0")}`;
  const strokes = drawing.strokes.map(({ id, x, y, width, t }) => ({ id, x: [...x], y: [...y], width: [...width], t: [...t] }));
  return stored("readwrite", (store) => store.put({ ...drawing, strokes, key, at: now.toISOString() }));
}

export const forget = (key) => stored("readwrite", (store) => store.delete(key));
