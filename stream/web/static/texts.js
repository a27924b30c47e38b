// Every word of the page, in the languages that it speaks.

const TEXTS = {
  en: {
    skip: "To the streams",
    pages: "Pages",
    watch: "Watch",
    camera: "My camera",
    draw: "Draw",
    language: "Language",
    token: "Token of this server",
    enter: "Enter",
    wrongToken: "This is not the token.",
    needToken: "This server asks for a token.",
    noServer: "The server does not answer; trying again.",
    noStreams: "There are no streams.",
    pause: "Pause",
    resume: "Resume",
    fullscreen: "Full screen",
    figures: "Figures",
    live: "live",
    connecting: "connecting",
    waiting: "interrupted, trying again",
    paused: "paused",
    ended: "the stream has ended",
    failed: "the stream has failed",
    full: "as many watch as may; trying again",
    unusable: "this browser shares no video format with the server",
    video: "Live picture of {name}",
    latency: "capture to screen",
    shown: "shown",
    received: "received",
    bitrate: "bit rate",
    codec: "codec",
    lost: "packets lost",
    dropped: "dropped here",
    serverDropped: "dropped by the server",
    serverLatency: "capture to server's output",
    sourceRate: "source",
    outputRate: "server's output",
    perSecond: "{value} a second",
    unknown: "unknown",
    preprocess: "preprocessing",
    inference: "inference",
    postprocess: "postprocessing",
    encode: "encoding",
  },
  es: {
    skip: "A las emisiones",
    pages: "Páginas",
    watch: "Ver",
    camera: "Mi cámara",
    draw: "Dibujar",
    language: "Idioma",
    token: "Clave de este servidor",
    enter: "Entrar",
    wrongToken: "Esta no es la clave.",
    needToken: "Este servidor pide una clave.",
    noServer: "El servidor no responde; se vuelve a intentar.",
    noStreams: "No hay emisiones.",
    pause: "Pausar",
    resume: "Continuar",
    fullscreen: "Pantalla completa",
    figures: "Cifras",
    live: "en directo",
    connecting: "conectando",
    waiting: "interrumpida, se vuelve a intentar",
    paused: "en pausa",
    ended: "la emisión ha terminado",
    failed: "la emisión ha fallado",
    full: "no cabe nadie más; se vuelve a intentar",
    unusable: "este navegador no comparte ningún formato de vídeo con el servidor",
    video: "Imagen en directo de {name}",
    latency: "de la captura a la pantalla",
    shown: "mostradas",
    received: "recibidas",
    bitrate: "tasa de bits",
    codec: "códec",
    lost: "paquetes perdidos",
    dropped: "descartadas aquí",
    serverDropped: "descartadas por el servidor",
    serverLatency: "de la captura a la salida del servidor",
    sourceRate: "fuente",
    outputRate: "salida del servidor",
    perSecond: "{value} por segundo",
    unknown: "desconocido",
    preprocess: "preparación",
    inference: "inferencia",
    postprocess: "interpretación",
    encode: "codificación",
  },
};

const KEPT_AS = "mirilla-language";

/** The language that was chosen here before, or the browser's. */
function preferredLanguage() {
  const kept = localStorage.getItem(KEPT_AS);
  return kept in TEXTS ? kept : navigator.language.startsWith("es") ? "es" : "en";
}

let language = preferredLanguage();

function setLanguage(chosen) {
  language = chosen;
  localStorage.setItem(KEPT_AS, chosen);
  document.documentElement.lang = chosen;
}

/** A text in the language of the page; `{name}` in it stands for `values.name`. */
export function text(key, values = {}) {
  // What has no text, such as a stage of a model of one's own, stands for itself.
  return (TEXTS[language][key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

export function number(value, digits = 0) {
  return value.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Write the texts of everything within `root` that names one in `data-text`, or its name for readers in `data-label`. */
export function translate(root) {
  for (const element of root.querySelectorAll("[data-text]")) {
    element.textContent = text(element.dataset.text);
  }
  for (const element of root.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", text(element.dataset.label));
  }
}

/**
 * Let people choose the language of the page in `choice`, now and later.
 * @param {HTMLSelectElement} choice
 * @param {function()} translated called whenever the page is in another language
 */
export function offerLanguages(choice, translated) {
  const choose = () => {
    setLanguage(choice.value);
    translate(document);
    translated();
  };
  choice.value = preferredLanguage();
  choice.onchange = choose;
  choose();
}
