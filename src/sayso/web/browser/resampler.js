/**
 * One windowed-sinc resampler, from any rate to the model's, by the filter of soxr's HQ recipe, which Python takes: a sinc
 * in a Kaiser window. Output n is the sound at time n / to, so nothing is shifted.
 */

// Fitted to what soxr makes of a click, from 48 to 16 kHz; no sample of that differs by more than 3e-8.
const CUTOFF = 0.956872; // of the lower Nyquist frequency
const HALF = 96.83; // of the window's length, in samples of the lower rate
const BETA = 13.04; // of the window
const MOST_PHASES = 1024;

export class Resampler {
  /** From one rate to another, in hertz. */
  constructor(from, to) {
    this.step = from / to;
    const low = Math.min(from, to);
    const reach = (HALF * from) / low;
    this.half = Math.ceil(reach);
    const isWhole = Number.isInteger(from) && Number.isInteger(to);
    this.up = isWhole ? to / divisor(from, to) : Infinity;
    this.down = this.step * this.up;
    this.phases = Math.min(this.up, MOST_PHASES);
    this.taps = Array.from({ length: this.phases + 1 }, (_, phase) =>
      filterTaps(phase / this.phases, this.half, { reach, cutoff: CUTOFF * (low / from) }),
    );
    this.reset();
  }

  /** Begin a new stream. */
  reset() {
    this.heard = new Float32Array(this.half); // zeros before the first sample
    this.offset = -this.half; // of heard[0] in the stream
    this.made = 0;
  }

  /** How many samples of the input the newest output lies behind. */
  get delay() {
    return this.half;
  }

  /** Take the next samples; gives what can be told for sure, as Float32Array. */
  feed(samples) {
    const heard = new Float32Array(this.heard.length + samples.length);
    heard.set(this.heard);
    heard.set(samples, this.heard.length);
    const end = this.offset + heard.length;
    const out = [];
    let [place, phase] = this.#position();
    while (place + this.half < end) {
      out.push(this.#at(heard, place - this.offset - this.half + 1, phase));
      this.made++;
      [place, phase] = this.#position();
    }
    const kept = Math.max(0, place - this.half + 1 - this.offset);
    this.heard = heard.slice(kept);
    this.offset += Math.min(kept, heard.length);
    return Float32Array.from(out);
  }

  /** Give what was held back, as if silence followed. */
  flush() {
    const inputs = this.offset + this.heard.length;
    const left = Math.max(0, Math.round(inputs / this.step) - this.made);
    return this.feed(new Float32Array(this.half + 1)).slice(0, left);
  }

  /** Where the next output lies: the sample before it, and how far behind that, in [0, 1). */
  #position() {
    if (this.up === Infinity) {
      const time = this.made * this.step;
      return [Math.floor(time), time - Math.floor(time)];
    }
    const time = this.made * this.down;
    return [Math.floor(time / this.up), (time % this.up) / this.up];
  }

  #at(heard, start, phase) {
    const place = Math.floor(phase * this.phases + 1e-9);
    const beyond = phase * this.phases - place;
    const value = dot(heard, start, this.taps[place]);
    return beyond < 1e-6 ? value : value + beyond * (dot(heard, start, this.taps[place + 1]) - value);
  }
}

function dot(heard, start, taps) {
  let sum = 0;
  for (let place = 0; place < taps.length; place++) sum += heard[start + place] * taps[place];
  return sum;
}

/** The taps for an output that lies `phase` behind a sample; they begin half - 1 samples before that one. */
function filterTaps(phase, half, { reach, cutoff }) {
  const scale = bessel(BETA);
  const taps = Float64Array.from({ length: 2 * half }, (_, place) => {
    const time = place - half + 1 - phase;
    const share = time / reach;
    if (Math.abs(share) >= 1) return 0;
    const angle = Math.PI * cutoff * time;
    const sinc = angle === 0 ? 1 : Math.sin(angle) / angle;
    return (cutoff * sinc * bessel(BETA * Math.sqrt(1 - share * share))) / scale;
  });
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
}

/** The modified Bessel function of order zero, by its series. */
function bessel(value) {
  let [sum, term] = [1, 1];
  for (let place = 1; term > 1e-17 * sum; place++) {
    term *= (value / (2 * place)) ** 2;
    sum += term;
  }
  return sum;
}

function divisor(first, second) {
  return second === 0 ? first : divisor(second, first % second);
}
