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
    explore: "Explore",
    legend: "What is seen",
    clicks: "Objects to follow",
    clickHint: "Click on something: it is cut out and followed. Drag a box around it; Shift or the right button: not this.",
    pointHere: "Picture: arrow keys move a cross, Enter points at what is there, minus says it is no part of the object",
    another: "Another object",
    without: "Not part of it",
    undo: "Undo",
    clear: "Clear",
    object: "Object {number}",
    lostObject: "Object {number}: lost",
    removeObject: "Remove object {number}",
    pointFirst: "Point at the object first.",
    outside: "That is outside the picture.",
    notConnected: "Not connected to the server.",
    pausedClick: "The stream is paused: resume it, then click.",
    isolate: "{name}, {count} in the picture: show alone",
    threshold: "Least score",
    thresholdOf: "Least score of {name}",
    attempt: "(attempt {number})",
    stale: "the source has given no picture for {seconds} s",
    range: "{least} to {most}",
    lastMinute: "{name}, the last minute",
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
    decode: "decoding",
    carry: "carrying results",
    overlay: "drawing",
    write: "handing over",
    preprocess: "preprocessing",
    inference: "inference",
    postprocess: "postprocessing",
    encode: "encoding",
    startCamera: "Start camera",
    stopCamera: "Stop",
    stopped: "off",
    cameraOff: "video is off",
    chooseCamera: "Camera",
    chooseSize: "Picture",
    chooseLike: "As in",
    mirror: "Mirror",
    video_off: "Video off",
    video_on: "Video on",
    snapshot: "Snapshot",
    record: "Record",
    stopRecording: "Stop recording ({time})",
    recorded: "Saved {name}.",
    cannotRecord: "This browser cannot record.",
    cameraPicture: "Your camera with what the models see",
    aboutCamera: "The server sees your camera's picture, looks at it and sends it back. It keeps nothing.",
    denied: "The browser was not allowed to use the camera; allow it in the browser's settings for this page.",
    noCamera: "There is no camera here.",
    cameraBusy: "The camera is used by another program.",
    insecure: "Browsers give the camera only to secure pages: open this page by https, or on the server's own machine as localhost.",
    noCameras: "This server takes no cameras.",
    otherCamera: "Camera {number}",
    controls: "Controls",
    unpublished: "waiting for a publisher",
    signallingFailed: "the server does not answer as expected (signalling)",
    iceFailed: "no way to the server is found; be in its network, or let it use a TURN server (ICE)",
    dtlsFailed: "the server is found, but the encryption does not come about; a firewall may be in the way (DTLS)",
    mediaFailed: "connected, but no picture comes (media)",
    invite: "Let a phone join",
    inviteHow: "Read this code with the phone's camera, or open the link there.",
    inviteCode: "QR code of the link",
    inviteOnce: "The link works once, within {minutes} minutes.",
    inviteInsecure: "This page is not encrypted, and browsers give it no camera: start the server with --tls auto.",
    close: "Close",
    add: "Add a stream",
    addName: "Name",
    addSource: "Address of the camera or video",
    addNow: "Add",
    addFailed: "This cannot be added:",
    remove: "Take away",
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
    explore: "Explorar",
    legend: "Lo que se ve",
    clicks: "Objetos que seguir",
    clickHint: "Pulsa sobre algo: se recorta y se sigue. Arrastra un recuadro a su alrededor; mayúsculas o botón derecho: esto no.",
    pointHere: "Imagen: las flechas mueven una cruz, Intro señala lo que hay allí, menos dice que no es parte del objeto",
    another: "Otro objeto",
    without: "No es parte",
    undo: "Deshacer",
    clear: "Borrar todo",
    object: "Objeto {number}",
    lostObject: "Objeto {number}: perdido",
    removeObject: "Quitar el objeto {number}",
    pointFirst: "Señala primero el objeto.",
    outside: "Eso queda fuera de la imagen.",
    notConnected: "Sin conexión con el servidor.",
    pausedClick: "La emisión está en pausa: reanúdala y pulsa.",
    isolate: "{name}, {count} en la imagen: mostrar solo esto",
    threshold: "Puntuación mínima",
    thresholdOf: "Puntuación mínima de {name}",
    attempt: "(intento {number})",
    stale: "la fuente no da ninguna imagen desde hace {seconds} s",
    range: "de {least} a {most}",
    lastMinute: "{name}, el último minuto",
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
    decode: "decodificación",
    carry: "traslado de resultados",
    overlay: "dibujo",
    write: "entrega",
    preprocess: "preparación",
    inference: "inferencia",
    postprocess: "interpretación",
    encode: "codificación",
    startCamera: "Encender la cámara",
    stopCamera: "Terminar",
    stopped: "apagada",
    cameraOff: "el vídeo está apagado",
    chooseCamera: "Cámara",
    chooseSize: "Imagen",
    chooseLike: "Como en",
    mirror: "Espejo",
    video_off: "Apagar vídeo",
    video_on: "Encender vídeo",
    snapshot: "Foto",
    record: "Grabar",
    stopRecording: "Parar la grabación ({time})",
    recorded: "{name} está guardado.",
    cannotRecord: "Este navegador no puede grabar.",
    cameraPicture: "Su cámara con lo que ven los modelos",
    aboutCamera: "El servidor ve la imagen de su cámara, la analiza y la devuelve. No guarda nada.",
    denied: "El navegador no tiene permiso para usar la cámara; permítalo en los ajustes del navegador para esta página.",
    noCamera: "Aquí no hay ninguna cámara.",
    cameraBusy: "Otro programa usa la cámara.",
    insecure: "Los navegadores solo dan la cámara a páginas seguras: abra esta página por https, o en la máquina del servidor como localhost.",
    noCameras: "Este servidor no acepta cámaras.",
    otherCamera: "Cámara {number}",
    controls: "Mandos",
    unpublished: "espera a quien la emita",
    signallingFailed: "el servidor no responde como se espera (señalización)",
    iceFailed: "no se encuentra un camino al servidor; entra en su red, o dale un servidor TURN (ICE)",
    dtlsFailed: "se encuentra el servidor, pero no se logra el cifrado; puede estorbar un cortafuegos (DTLS)",
    mediaFailed: "hay conexión, pero no llega imagen (medios)",
    invite: "Invitar a un teléfono",
    inviteHow: "Lee este código con la cámara del teléfono, o abre allí el enlace.",
    inviteCode: "código QR del enlace",
    inviteOnce: "El enlace sirve una vez, durante {minutes} minutos.",
    inviteInsecure: "Esta página no está cifrada y los navegadores no le dan la cámara: inicia el servidor con --tls auto.",
    close: "Cerrar",
    add: "Añadir una emisión",
    addName: "Nombre",
    addSource: "Dirección de la cámara o del vídeo",
    addNow: "Añadir",
    addFailed: "No se puede añadir:",
    remove: "Quitar",
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

/** A share of one in percent, as the language writes it. */
export function percent(share) {
  return share.toLocaleString(language, { style: "percent" });
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

/** Take the texts of one page in, by language. */
export function addTexts(texts) {
  for (const [name, some] of Object.entries(texts)) Object.assign(TEXTS[name], some);
}
