// Says sentences aloud where the player likes it; off until then.

const KEPT_AS = "mirilla-speech";

export class Speech {
  constructor() {
    this.isThere = "speechSynthesis" in window;
    this.isOn = this.isThere && localStorage.getItem(KEPT_AS) === "on";
  }

  turn(isOn) {
    this.isOn = isOn && this.isThere;
    localStorage.setItem(KEPT_AS, this.isOn ? "on" : "off");
    if (this.isThere) speechSynthesis.cancel();
  }

  /** Say a sentence; what is still being said gives way to it. */
  say(sentence) {
    if (!this.isOn) return;
    speechSynthesis.cancel();
    const said = new SpeechSynthesisUtterance(sentence);
    said.lang = document.documentElement.lang;
    speechSynthesis.speak(said);
  }
}
