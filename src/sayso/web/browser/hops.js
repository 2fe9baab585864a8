/** Answers on a stream, one each hop: the twin of `sayso/runtime/hops.py`. */

import { roundEven } from "./decisions.js";

const FULL_SCALE = 32768;
const BATCH = 64;

/** Round samples in [-1, 1] to int16; what lies outside is clipped. */
export function quantise(samples) {
  const rounded = new Int16Array(samples.length);
  for (let place = 0; place < samples.length; place++) {
    rounded[place] = Math.min(32767, Math.max(-32768, roundEven(Math.fround(samples[place] * FULL_SCALE))));
  }
  return rounded;
}

/** Probabilities of logits, summing to 1. */
export function softmax(logits) {
  const most = Math.max(...logits);
  const powers = Float64Array.from(logits, (logit) => Math.exp(logit - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

function toFloat(samples) {
  return Float32Array.from(samples, (sample) => sample / FULL_SCALE);
}

function joined(first, second) {
  const both = new Int16Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** Cut what an ONNX session gave, (chunks, classes), into rows. */
function rows(tensor) {
  const [count, classes] = tensor.dims;
  return Array.from({ length: count }, (_, row) => tensor.data.slice(row * classes, (row + 1) * classes));
}

/** The whole-clip model on each window. */
export class Windows {
  constructor(ort, session, { hop, length }) {
    Object.assign(this, { ort, session, hop, length });
    this.lead = (hop - (length % hop)) % hop;
    this.first = (length + this.lead) / hop - 1;
  }

  async score(chunks, { history }) {
    const heard = joined(history, chunks).subarray(this.lead);
    const count = Math.floor((heard.length - this.length) / this.hop) + 1;
    const windows = new Float32Array(count * this.length);
    for (let row = 0; row < count; row++) {
      windows.set(toFloat(heard.subarray(row * this.hop, row * this.hop + this.length)), row * this.length);
    }
    const input = new this.ort.Tensor("float32", windows, [count, this.length]);
    const found = await this.session.run({ [this.session.inputNames[0]]: input });
    return rows(found[this.session.outputNames[0]]);
  }
}

/** The streaming form of a model, whose state goes in and comes out. */
export class Stateful {
  constructor(ort, session, { hop, lead, first, state }) {
    Object.assign(this, { ort, session, hop, lead, first });
    this.shapes = state;
    this.state = this.#empty();
  }

  async score(chunks, { history, fresh }) {
    if (fresh) {
      this.state = this.#empty();
      if (history.length) await this.#step(history);
    }
    return this.#step(chunks);
  }

  #empty() {
    return this.shapes.map((shape) => {
      const size = shape.reduce((product, length) => product * length, 1);
      return new this.ort.Tensor("float32", new Float32Array(size), shape);
    });
  }

  async #step(chunks) {
    const [samples, ...states] = this.session.inputNames;
    const [logits, ...next] = this.session.outputNames;
    const count = chunks.length / this.hop;
    const feeds = { [samples]: new this.ort.Tensor("float32", toFloat(chunks), [count, this.hop]) };
    states.forEach((name, place) => (feeds[name] = this.state[place]));
    const found = await this.session.run(feeds);
    this.state = next.map((name) => found[name]);
    return rows(found[logits]);
  }
}

/** Cuts a stream into chunks and answers at each hop; its memory does not grow with time. */
export class Hops {
  /**
   * @param {Windows|Stateful} scorer the model
   * @param {{words: number, gateDb: ?number}} options how many words it knows; chunks of less power than `gateDb` below
   *   full scale are not listened to
   */
  constructor(scorer, { words, gateDb }) {
    this.scorer = scorer;
    this.words = words;
    this.leastPower = gateDb === null ? 0 : 10 ** (gateDb / 10) * FULL_SCALE ** 2;
    this.reset();
  }

  /** Begin a new stream. */
  reset() {
    this.rest = new Int16Array(this.scorer.lead);
    this.history = new Int16Array(this.scorer.first * this.scorer.hop);
    this.chunks = 0;
    this.isFresh = true;
    this.loudUntil = -1;
  }

  /**
   * Take the next samples, int16 at the model's rate.
   * @param {Int16Array} samples
   * @returns {Promise<{hop: number, probabilities: Float64Array, logits: Float32Array}[]>} of each hop they complete
   */
  async feed(samples) {
    const { hop } = this.scorer;
    const heard = joined(this.rest, samples);
    const whole = Math.floor(heard.length / hop);
    this.rest = heard.slice(whole * hop);
    const answers = [];
    for (const { start, end, wanted } of this.#runs(heard, whole)) {
      const run = heard.subarray(start * hop, end * hop);
      if (wanted) answers.push(...(await this.#answer(run)));
      else {
        this.isFresh = true;
        this.#pass(run);
      }
    }
    return answers;
  }

  /** Runs of chunks to answer on, a few at a time, and of those that pass into history. */
  *#runs(heard, whole) {
    const base = this.chunks;
    const isWanted = (place) => this.#isWanted(heard.subarray(place * this.scorer.hop, (place + 1) * this.scorer.hop), base + place);
    let start = 0;
    let wanted = whole > 0 && isWanted(0);
    for (let place = 1; place <= whole; place++) {
      const next = place < whole ? isWanted(place) : !wanted;
      if (next !== wanted || place - start === BATCH) {
        yield { start, end: place, wanted };
        start = place;
        wanted = next;
      }
    }
  }

  /** Whether anything in the window that ends with this chunk is loud enough. */
  #isWanted(chunk, place) {
    if (this.leastPower && variance(chunk) < this.leastPower) return place <= this.loudUntil;
    this.loudUntil = place + this.scorer.first;
    return true;
  }

  async #answer(chunks) {
    const logits = await this.scorer.score(chunks, { history: this.history, fresh: this.isFresh });
    this.isFresh = false;
    const firstHop = this.chunks - this.scorer.first;
    this.#pass(chunks);
    return logits
      .map((row, place) => ({ hop: firstHop + place, logits: row, probabilities: softmax(row).slice(0, this.words) }))
      .filter((answer) => answer.hop >= 0);
  }

  #pass(chunks) {
    this.chunks += chunks.length / this.scorer.hop;
    const kept = this.scorer.first * this.scorer.hop;
    const heard = joined(this.history, chunks);
    this.history = heard.slice(heard.length - kept);
  }
}

function variance(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample;
  const mean = sum / samples.length;
  let squares = 0;
  for (const sample of samples) squares += (sample - mean) ** 2;
  return squares / samples.length;
}
