/** The Talk page: live bars with thresholds as dials, a spectrogram, detections, and how quick it all is. */

import { cutClips, saveFirst } from "./clip.js";
import { either, make, median, percent, rounded } from "./elements.js";
import { SaysoError, Sayso } from "./sayso.js";
import { Spectrogram } from "./spectrogram.js";

const SHOWN_DETECTIONS = 50;
const KEPT_TIMES = 200;
const TICK_SECONDS = 0.5;
const SAVE = { label: "Save the last word as a file", show: saveFirst };

/**
 * Show the Talk page.
 * @param {Element} root what it is shown in; its contents are replaced
 * @param {{url: string, wrong: ?{label: string, show: (clips: object[], recent: object) => ?Element, pending: ?Element}}} options
 *   `url`: the model, as for `Sayso.load`; `wrong`: what a person can do when an answer is wrong, under which label, which gets
 *   the clips of `cutClips` and shows an element; without it the sound is saved as a file
 * @returns {Promise<?Sayso>} the recogniser; null where it cannot be loaded, which the page says
 */
export async function showTalk(root, { url, wrong = SAVE }) {
  const status = make("span", { className: "muted", role: "status", textContent: "Loading the model …" });
  const button = make("button", { type: "button", textContent: "Listen", disabled: true });
  const fault = make("p", { className: "notes fault", role: "alert", hidden: true });
  const correct = make("button", { type: "button", className: "quiet", textContent: wrong.label, disabled: true });
  const asked = make("div", { className: "asked" }, ...(wrong.pending ? [wrong.pending] : []));
  const talk = make("div", { className: "talk" }, make("div", { className: "bar" }, button, correct, status), fault, asked);
  root.replaceChildren(talk);
  const began = performance.now();
  try {
    const recogniser = await Sayso.load(url);
    const took = ((performance.now() - began) / 1000).toFixed(1);
    new Talk(recogniser, { talk, status, button, fault, correct, asked, wrong });
    status.textContent = `Ready; the model was loaded in ${took} s.`;
    return recogniser;
  } catch (error) {
    if (!(error instanceof SaysoError)) throw error;
    status.textContent = "";
    showFault(fault, error);
    return null;
  }
}

function showFault(place, error) {
  place.textContent = error?.message ?? "";
  place.hidden = !error;
  if (error) place.dataset.kind = error.kind;
}

class Talk {
  constructor(recogniser, { talk, status, button, fault, correct, asked, wrong }) {
    Object.assign(this, { recogniser, status, button, fault, correct, asked, wrong, last: null });
    correct.onclick = () => this.#correct();
    this.words = new Map(recogniser.labels.map((word) => [word, new Word(recogniser, word)]));
    this.said = make("p", { className: "headline said", ariaLive: "polite" });
    this.none = make("tr", {}, make("td", { colSpan: 3, className: "muted none", textContent: "None yet." }));
    this.list = make("tbody", {}, this.none);
    this.canvas = make("canvas", { role: "img", ariaLabel: "Spectrogram of the newest seconds" });
    this.level = make("div", { className: "fill" });
    this.levelText = make("output", { textContent: "–" });
    this.facts = make("tbody");
    this.spectrogram = new Spectrogram(this.canvas, recogniser.facts.audio.sample_rate / 2);
    this.times = { milliseconds: [], latency: [] };
    this.clock = null;
    talk.append(this.said, this.#wordsSection(), this.#soundSection(), this.#details());
    button.disabled = false;
    button.onclick = () => (recogniser.microphone ? this.#stop() : this.#listen());
    recogniser.onhop = (heard) => this.#hop(heard);
    recogniser.onword = (detection) => this.#word(detection);
    recogniser.onfault = (error) => this.#stop(error);
    this.#showFacts();
  }

  #wordsSection() {
    const { facts } = this.recogniser;
    const known = facts.curve
      ? `False alarms as measured over ${rounded(facts.curve.independent_hours, 2)} h of ${facts.curve.background}; "at most" is the 95 % bound.`
      : facts.curve_note;
    const back = make("button", { type: "button", className: "quiet", textContent: "Thresholds of the model" });
    back.onclick = () => this.words.forEach((word) => word.putBack());
    return make(
      "section",
      { ariaLabel: "Words" },
      make("h2", { textContent: "Words, and their thresholds" }),
      make("ul", { className: "words" }, ...[...this.words.values()].map((word) => word.item)),
      back,
      make("p", { className: "muted", textContent: known }),
    );
  }

  #soundSection() {
    const head = make("tr", {}, ...["Word", "Score", "Heard until"].map((name) => make("th", { scope: "col", textContent: name })));
    const table = make("table", {}, make("caption", { className: "hidden", textContent: "Detections, newest first" }), make("thead", {}, head), this.list);
    return make(
      "div",
      {},
      make(
        "section",
        {},
        make("h2", { textContent: "Sound" }),
        this.canvas,
        make("p", { className: "level" }, make("span", { textContent: "Level" }), make("span", { className: "track" }, this.level), this.levelText),
      ),
      make(
        "section",
        {},
        make("h2", { textContent: "Detections" }),
        make("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: "Detections" }, table),
      ),
    );
  }

  #details() {
    const table = make("table", { className: "text" }, this.facts);
    return make(
      "section",
      { className: "details" },
      make("h2", { textContent: "How it listens" }),
      make("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: "How it listens" }, table),
    );
  }

  async #listen() {
    this.button.disabled = true;
    this.status.textContent = "Asking for the microphone …";
    showFault(this.fault, null);
    try {
      const microphone = await this.recogniser.listen();
      this.times = { milliseconds: [], latency: [] };
      this.said.replaceChildren(make("span", { className: "muted", textContent: `Say ${either(this.recogniser.labels)}.` }));
      this.status.textContent = `Listening to ${microphone.label || "the microphone"}.`;
      this.button.textContent = "Stop";
      this.correct.disabled = false;
      this.last = null;
      this.spectrogram.start(microphone, (decibels) => this.#showLevel(decibels));
      this.clock = setInterval(() => this.#showFacts(), 1000 * TICK_SECONDS);
    } catch (error) {
      this.#stop(error);
      if (!(error instanceof SaysoError)) throw error;
    } finally {
      this.button.disabled = false;
    }
  }

  #stop(error = null) {
    this.recogniser.stop();
    this.spectrogram.stop();
    clearInterval(this.clock);
    this.#showFacts();
    this.#showLevel(-Infinity);
    this.words.forEach((word) => word.showScore(0));
    this.button.textContent = "Listen";
    this.correct.disabled = true;
    this.status.textContent = error ? "" : "Stopped.";
    showFault(this.fault, error);
  }

  #hop({ scores, milliseconds, latency }) {
    this.recogniser.labels.forEach((word, place) => this.words.get(word).showScore(scores[place]));
    if (latency === null) return;
    keep(this.times.milliseconds, milliseconds);
    keep(this.times.latency, latency);
  }

  async #correct() {
    const recent = await this.recogniser.recent();
    const { clip_samples: length, sample_rate: rate } = this.recogniser.facts.audio;
    const shown = this.wrong.show(cutClips(recent, this.last, length / rate), recent);
    if (!shown) return;
    this.asked.replaceChildren(shown);
    shown.querySelector("select, input")?.focus();
  }

  #word(detection) {
    this.last = detection;
    const { word, score, end } = detection;
    this.said.replaceChildren(make("strong", { className: "said", textContent: word }), make("span", { className: "muted", textContent: `${percent(score)} at ${end.toFixed(1)} s` }));
    const cells = [make("th", { scope: "row", textContent: word }), make("td", { textContent: percent(score) }), make("td", { textContent: `${end.toFixed(2)} s` })];
    this.none.remove();
    this.list.prepend(make("tr", {}, ...cells));
    if (this.list.children.length > SHOWN_DETECTIONS) this.list.lastChild.remove();
    this.words.get(word).flash();
    this.spectrogram.mark(word);
  }

  #showLevel(decibels) {
    this.level.style.transform = `scaleX(${Math.min(1, Math.max(0, (decibels + 80) / 80))})`;
    this.levelText.textContent = Number.isFinite(decibels) ? `${Math.round(decibels)} dBFS`.replace("-", "−") : "–";
  }

  #showFacts() {
    const { facts, settings, microphone, lost } = this.recogniser;
    const rows = [
      ["Answers", `one each ${rounded(1000 * settings.hop_seconds)} ms, on the last ${rounded(facts.audio.clip_samples / facts.audio.sample_rate)} s of sound`],
      ["Computing", this.times.milliseconds.length ? `${median(this.times.milliseconds).toFixed(2)} ms an answer (median)` : "–"],
      ["Latency", this.times.latency.length ? `${Math.round(median(this.times.latency))} ms from the sound to its answer (median), ${Math.round(Math.max(...this.times.latency))} ms at worst` : "–"],
      ["Lost", lost.dropped >= 0.05 || lost.skipped ? `${lost.dropped.toFixed(1)} s of sound by the browser, ${lost.skipped.toFixed(1)} s as answering is too slow here` : "nothing"],
      ["Microphone", microphone ? `${microphone.label || "unnamed"}, ${microphone.sampleRate} Hz; ${processing(microphone.settings)}` : "–"],
      ["Model", `${facts.graph.file}, ${(facts.graph.bytes / 1e6).toFixed(1)} MB, ${facts.audio.sample_rate} Hz${facts.credit ? `; ${facts.credit}` : ""}`],
    ];
    this.facts.replaceChildren(...rows.map(([name, text]) => make("tr", {}, make("th", { scope: "row", textContent: name }), make("td", { textContent: text }))));
  }
}

/** What the browser says that it does to the sound. */
function processing(settings) {
  const names = { autoGainControl: "gain control", echoCancellation: "echo cancelling", noiseSuppression: "noise suppression" };
  const on = Object.keys(names).filter((key) => settings[key]);
  const untold = Object.keys(names).filter((key) => settings[key] === undefined);
  if (on.length) return `the browser keeps ${on.map((key) => names[key]).join(" and ")} on, so the model hears other sound than it learned from`;
  return untold.length ? `the browser does not say whether ${untold.map((key) => names[key]).join(" and ")} is off` : "no gain control, echo cancelling or noise suppression";
}

/** One word: its score as a bar, its threshold as the slider over it, and what that costs. */
class Word {
  constructor(recogniser, word) {
    Object.assign(this, { recogniser, word, original: recogniser.threshold(word) });
    const id = `dial-${recogniser.labels.indexOf(word)}`;
    this.fill = make("div", { className: "fill" });
    this.output = make("output");
    this.cost = make("p", { id: `${id}-cost` });
    this.slider = make("input", { type: "range", id, min: 0, max: 1, step: 0.005 });
    this.slider.setAttribute("aria-describedby", this.cost.id);
    this.slider.oninput = () => this.#choose(Number(this.slider.value));
    const label = make("label", { htmlFor: id }, make("span", { textContent: word }), this.output);
    const dial = make("div", { className: "dial" }, make("div", { className: "track" }, this.fill), this.slider);
    this.item = make("li", {}, label, dial, this.cost);
    this.putBack();
  }

  putBack() {
    this.slider.value = this.original;
    this.#choose(this.original);
  }

  showScore(score) {
    this.fill.style.transform = `scaleX(${score})`;
  }

  flash() {
    this.item.classList.add("heard");
    setTimeout(() => this.item.classList.remove("heard"), 1000);
  }

  #choose(threshold) {
    this.recogniser.setThreshold(this.word, threshold);
    this.output.textContent = `from ${rounded(threshold)} on`;
    const cost = this.recogniser.estimate(this.word);
    this.cost.textContent = cost
      ? `${rounded(cost.alarmsPerHour, 2)} false alarms an hour (at most ${rounded(cost.upperBound, 2)})${cost.missShare === null ? "" : `, ${percent(cost.missShare)} missed`}`
      : this.recogniser.facts.curve
        ? "lower than any threshold that was measured"
        : "";
  }
}

function keep(times, value) {
  times.push(value);
  if (times.length > KEPT_TIMES) times.shift();
}
