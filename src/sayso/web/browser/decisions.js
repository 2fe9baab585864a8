/**
 * From the answers of each hop to detections: the twin of `sayso/runtime/decisions.py` and `stream_settings.py`.
 * Settings have the recipe's own names (`hop_seconds`, `smoothing`, `threshold`, ...).
 */

/** Round as Python and numpy do: halves go to the even neighbour. */
export function roundEven(value) {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** Samples from one answer to the next, at the model's rate in hertz. */
export function hopSamples(settings, sampleRate) {
  return Math.max(1, roundEven(settings.hop_seconds * sampleRate));
}

/** How many hops come in a time, at the model's rate in hertz. */
export function countHops(settings, seconds, sampleRate) {
  return roundEven(seconds / (hopSamples(settings, sampleRate) / sampleRate));
}

/** The score from which on this word is detected. */
export function thresholdOf(settings, word) {
  return settings.thresholds.find((each) => each.word === word)?.threshold ?? settings.threshold;
}

/** Smooths probabilities and tells when a word is detected. */
export class Decider {
  /**
   * @param {string[]} words of the model
   * @param {object} settings what is asked of a word
   * @param {number} sampleRate of the model, in hertz
   */
  constructor(words, settings, sampleRate) {
    this.settings = settings;
    this.thresholds = Float64Array.from(words, (word) => thresholdOf(settings, word));
    this.leastHops = 1 + countHops(settings, settings.least_seconds, sampleRate);
    this.refractoryHops = countHops(settings, settings.refractory_seconds, sampleRate);
    this.reset();
  }

  /** Forget what was heard. */
  reset() {
    this.recent = [];
    this.held = new Int32Array(this.thresholds.length);
    this.isArmed = new Uint8Array(this.thresholds.length).fill(1);
    this.lastFired = -this.refractoryHops - 1;
    this.lastHop = -1;
  }

  /**
   * Take the answer of one hop.
   * @param {Float64Array} probabilities of the words
   * @param {number} hop its number; hops that are left out, as in silence, count as answers of nothing at all
   * @returns {{scores: Float64Array, fired: ?{place: number, score: number, hop: number}}}
   */
  decide(probabilities, hop) {
    if (hop !== this.lastHop + 1) {
      this.recent = [];
      this.held.fill(0);
      this.isArmed.fill(1);
    }
    this.lastHop = hop;
    this.recent.push(probabilities);
    if (this.recent.length > this.settings.smoothing) this.recent.shift();
    const scores = this.#smooth();
    const [best, runnerUp] = bestTwo(scores);
    for (let place = 0; place < scores.length; place++) {
      const isHigh = scores[place] >= this.thresholds[place];
      this.held[place] = isHigh ? this.held[place] + 1 : 0;
      if (!isHigh) this.isArmed[place] = 1;
    }
    const fires =
      this.held[best] >= this.leastHops &&
      this.isArmed[best] &&
      scores[best] - runnerUp >= this.settings.margin &&
      hop - this.lastFired > this.refractoryHops;
    if (!fires) return { scores, fired: null };
    this.isArmed[best] = 0;
    this.lastFired = hop;
    return { scores, fired: { place: best, score: scores[best], hop } };
  }

  #smooth() {
    const scores = new Float64Array(this.thresholds.length);
    for (const row of this.recent) for (let place = 0; place < scores.length; place++) scores[place] += row[place];
    return scores.map((sum) => sum / this.settings.smoothing);
  }
}

/** The place of the highest score, and the next highest score; 0 where there is one word alone. */
function bestTwo(scores) {
  let best = 0;
  for (let place = 1; place < scores.length; place++) if (scores[place] > scores[best]) best = place;
  let runnerUp = scores.length > 1 ? -Infinity : 0;
  for (let place = 0; place < scores.length; place++) {
    if (place !== best && scores[place] > runnerUp) runnerUp = scores[place];
  }
  return [best, runnerUp];
}
