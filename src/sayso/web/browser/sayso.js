/**
 * A model of Sayso on any web page.
 *
 *     import { Sayso } from "./sayso.js";
 *
 *     const recogniser = await Sayso.load("./");            // the folder with model.json, or its address
 *     recogniser.onword = ({ word, score, end }) => console.log(word);
 *     button.onclick = () => recogniser.listen();           // the microphone, from a click
 *     const words = await recogniser.feed(samples, 48000);  // or samples of your own, Float32Array in [-1, 1]
 *
 * The decisions are those of `sayso.Stream` in Python; `setThreshold` changes them at once. Sound never leaves the page.
 */

import { Decider, hopSamples, thresholdOf } from "./decisions.js";
import { SaysoError, checkBrowser } from "./faults.js";
import { openMicrophone } from "./microphone.js";

export { SaysoError };

export class Sayso {
  /**
   * Called with each word: `{ word, score, start, end, at }`, in seconds of the stream; `at` is when that was, by `Date.now()`,
   * or null of samples that were fed.
   */
  onword = null;
  /** Called at each hop: `{ hop, start, end, scores, probabilities, logits, milliseconds, latency }`. */
  onhop = null;
  /** Called when something goes wrong while listening, with a `SaysoError`. */
  onfault = null;

  #worker;
  #decider;
  #waiting = new Map();
  #count = 0;
  #fault = null;
  #listened = 0; // how often listening was begun or ended

  /**
   * Load a model.
   * @param {string|URL} url of the folder with `model.json` (ending with a slash), or of that file
   * @returns {Promise<Sayso>}
   * @throws {SaysoError} with a sentence for a person
   */
  static async load(url) {
    checkBrowser();
    const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    const recogniser = new Sayso(worker);
    try {
      recogniser.#begin(await recogniser.#ask("load", { url: new URL(url, document.baseURI).href }));
    } catch (error) {
      worker.terminate();
      throw error;
    }
    return recogniser;
  }

  /** Use `Sayso.load`. */
  constructor(worker) {
    this.#worker = worker;
    worker.onmessage = ({ data }) => this.#take(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(new SaysoError("damaged", `The model's worker cannot run (${event.message ?? "a file of it is missing"}).`));
    };
  }

  #begin(facts) {
    /** What `model.json` says. */
    this.facts = facts;
    /** The words. */
    this.labels = facts.labels;
    /** The settings of the stream, by the recipe's names; change thresholds by `setThreshold`. */
    this.settings = facts.stream;
    /** The microphone that is heard, or null. */
    this.microphone = null;
    /** What listening has lost, in seconds: `{ dropped }` by the browser, and `{ skipped }` as answering was too slow. */
    this.lost = { dropped: 0, skipped: 0 };
    this.#decider = new Decider(facts.labels, facts.stream, facts.audio.sample_rate);
  }

  /** The score from which on this word is detected. */
  threshold(word) {
    return thresholdOf(this.settings, word);
  }

  /** Choose the score, in [0, 1], from which on a word is detected; at once, and for this page alone. */
  setThreshold(word, score) {
    const place = this.labels.indexOf(word);
    if (place < 0) throw new RangeError(`'${word}' is no word of this model; it has ${this.labels.join(", ")}`);
    if (!(score >= 0 && score <= 1)) throw new RangeError(`the threshold of '${word}' is ${score}, must be 0 to 1`);
    const others = this.settings.thresholds.filter((each) => each.word !== word);
    this.settings = { ...this.settings, thresholds: [...others, { word, threshold: score }] };
    this.#decider.thresholds[place] = score;
  }

  /**
   * What the word's threshold costs, as `sayso tune` measured it; null of a model that was never tuned
   * (`facts.curve_note` says why), or a threshold below all that were measured.
   * @returns {?{threshold: number, alarmsPerHour: number, upperBound: number, missShare: ?number}}
   */
  estimate(word) {
    const rows = this.facts.curve?.words[word] ?? [];
    const row = rows.findLast(([threshold]) => threshold <= this.threshold(word));
    if (!row) return null;
    const [threshold, alarmsPerHour, upperBound, missShare] = row;
    return { threshold, alarmsPerHour, upperBound, missShare };
  }

  /**
   * Take the next samples of the stream.
   * @param {Float32Array} samples one channel, in [-1, 1]
   * @param {number} sampleRate in hertz; another one than before begins a new stream
   * @returns {Promise<object[]>} the words that end in them
   */
  async feed(samples, sampleRate = this.facts.audio.sample_rate) {
    if (!(samples instanceof Float32Array)) throw new TypeError("samples must be a Float32Array of one channel");
    if (!samples.every(Number.isFinite)) throw new TypeError("samples hold values that are not numbers");
    if (!(sampleRate >= 1000 && sampleRate <= 768000)) throw new RangeError(`sampleRate is ${sampleRate}, must be 1000 to 768000`);
    return this.#ask("feed", { samples, sampleRate }).then((told) => this.#judge(told));
  }

  /** Give the words in what was held back for resampling; the stream is a new one then. */
  async flush() {
    const words = this.#judge(await this.#ask("flush"));
    this.#decider.reset();
    return words;
  }

  /** Begin a new stream, at second 0. */
  async reset() {
    await this.#ask("reset");
    this.#decider.reset();
  }

  /**
   * Hear the microphone, until `stop()`; call it from a click, or browsers may refuse.
   * @returns {Promise<object>} `{ label, sampleRate, settings, context, source }`
   * @throws {SaysoError} no microphone, not allowed, or a page that gets none; `stopped` where `stop`, `close` or another
   *   `listen` came before it was there
   */
  async listen() {
    this.stop();
    const own = this.#listened;
    const microphone = await openMicrophone((fault) => {
      this.stop();
      this.onfault?.(fault);
    });
    if (this.#listened !== own) {
      microphone.close();
      throw new SaysoError("stopped", "Listening was stopped before the microphone was there.");
    }
    this.lost = { dropped: 0, skipped: 0 };
    this.microphone = microphone;
    const { port1, port2 } = new MessageChannel();
    const { sampleRate } = microphone;
    await this.#ask("listen", { port: port1, sampleRate }, [port1]);
    microphone.collect(port2);
    return microphone;
  }

  /**
   * Give what the microphone heard last, up to 10 s, as it came: at its own rate, in [-1, 1].
   * @returns {Promise<object>} `{ samples, sampleRate, at, label, settings }`: a `Float32Array`; when its last sample was heard,
   *   by `Date.now()`; and what the browser says of the microphone
   * @throws {SaysoError} nothing is listened to
   */
  async recent() {
    if (!this.microphone) throw new SaysoError("no-microphone", "Nothing is listened to: press Listen first.");
    const { sampleRate, label, settings } = this.microphone;
    return { ...(await this.microphone.recent()), sampleRate, label, settings };
  }

  /** Stop hearing the microphone. */
  stop() {
    this.#listened += 1;
    this.microphone?.close();
    this.microphone = null;
  }

  /** Stop everything and give the memory back. */
  close() {
    this.stop();
    this.#worker.terminate();
    this.#fail(new SaysoError("closed", "This recogniser was closed."));
  }

  #ask(type, values = {}, moved = []) {
    if (this.#fault) return Promise.reject(this.#fault);
    const id = this.#count++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ type, id, ...values }, moved);
    });
  }

  #take({ id, result, fault, ...heard }) {
    if (id === undefined) {
      if (fault) this.onfault?.(new SaysoError(fault.kind, fault.message));
      else if (this.microphone) this.#hear(heard);
      return;
    }
    const { resolve, reject } = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (fault) reject(new SaysoError(fault.kind, fault.message));
    else resolve(result);
  }

  #hear(heard) {
    this.lost = { dropped: heard.dropped, skipped: heard.skipped };
    this.#judge(heard, heard.at);
  }

  #judge({ answers, milliseconds, begins = false }, at = null) {
    if (begins) this.#decider.reset();
    const latency = at === null ? null : Date.now() - at;
    const { clip_samples: length, sample_rate: rate } = this.facts.audio;
    const hopLength = hopSamples(this.settings, rate);
    const found = [];
    for (const { hop, probabilities, logits } of answers) {
      const { scores, fired } = this.#decider.decide(probabilities, hop);
      const end = (hop * hopLength + length) / rate;
      const start = (Math.max(0, hop - this.settings.smoothing + 1) * hopLength) / rate;
      this.onhop?.({ hop, start, end, scores, probabilities, logits, milliseconds: milliseconds / answers.length, latency });
      if (!fired) continue;
      const detection = { word: this.labels[fired.place], score: fired.score, start, end, at };
      found.push(detection);
      this.onword?.(detection);
    }
    return found;
  }

  #fail(fault) {
    this.#fault = fault;
    for (const { reject } of this.#waiting.values()) reject(fault);
    this.#waiting.clear();
  }
}
