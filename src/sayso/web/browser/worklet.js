/**
 * Collects the microphone's samples into blocks and sends them to the worker; counts what the browser left out. Keeps the last
 * seconds, for a page that asks.
 */

const BLOCK_SECONDS = 0.02;
const RECENT_SECONDS = 10;
const PERIOD_SECONDS = 2;
const MOST_DRIFT = 0.001; // of the sound card's clock against the computer's

/** How much sound is missing, by the computer's clock: a browser that is too busy leaves out sound and does not say so. */
class Clock {
  constructor() {
    this.lost = 0;
    this.least = Infinity; // how far sound lay behind the clock in this period, at its best
    this.known = null; // of that, what is no news
  }

  /** Note that so many seconds of sound have come; gives how many are missing by now. */
  note(seconds) {
    const now = Date.now() / 1000;
    this.begin ??= now - seconds;
    this.least = Math.min(this.least, now - this.begin - seconds);
    this.end ??= now + PERIOD_SECONDS;
    if (now >= this.end) this.#close(now);
    return this.lost;
  }

  #close(now) {
    const allowed = (this.known ?? this.least) + MOST_DRIFT * PERIOD_SECONDS;
    if (this.known !== null) this.lost += Math.max(0, this.least - allowed);
    this.known = Math.max(allowed, this.least);
    this.least = Infinity;
    this.end = now + PERIOD_SECONDS;
  }
}

/** The newest samples, as many as fit. */
class Recent {
  constructor(size) {
    this.samples = new Float32Array(size);
    this.count = 0; // of all that were ever added
  }

  add(block) {
    const place = this.count % this.samples.length;
    const first = block.subarray(0, this.samples.length - place);
    this.samples.set(first, place);
    this.samples.set(block.subarray(first.length), 0);
    this.count += block.length;
  }

  /** A copy of them, the oldest first. */
  take() {
    const size = this.samples.length;
    if (this.count <= size) return this.samples.slice(0, this.count);
    const place = this.count % size;
    const whole = new Float32Array(size);
    whole.set(this.samples.subarray(place));
    whole.set(this.samples.subarray(0, place), size - place);
    return whole;
  }
}

class Collector extends AudioWorkletProcessor {
  constructor() {
    super();
    this.block = new Float32Array(Math.round(BLOCK_SECONDS * sampleRate));
    this.filled = 0;
    this.skippedFrames = 0;
    this.expected = null;
    this.hasBegun = false; // while the sound begins, browsers skip
    this.clock = new Clock();
    this.recent = new Recent(Math.round(RECENT_SECONDS * sampleRate));
    this.at = 0; // when the newest of them was heard, by the computer's clock
    this.port.onmessage = ({ data }) => {
      if (data.port) this.worker = data.port;
      if (data.wants === "recent") this.#tellRecent();
    };
  }

  process([channels]) {
    const frames = channels.length ? channels[0].length : 0;
    if (!frames || !this.worker) return true;
    if (this.expected !== null && currentFrame > this.expected) this.skippedFrames += currentFrame - this.expected;
    if (this.hasBegun) this.expected = currentFrame + frames;
    for (let place = 0; place < frames; place++) {
      let sum = 0;
      for (const channel of channels) sum += channel[place];
      this.block[this.filled++] = sum / channels.length;
      if (this.filled === this.block.length) this.#send();
    }
    return true;
  }

  #tellRecent() {
    const samples = this.recent.take();
    this.port.postMessage({ samples, at: this.at }, [samples.buffer]);
  }

  #send() {
    const samples = this.block;
    const { length } = samples;
    this.recent.add(samples);
    this.at = Date.now();
    const dropped = this.skippedFrames / sampleRate + this.clock.note(currentTime);
    this.worker.postMessage({ samples, dropped, at: this.at }, [samples.buffer]);
    this.block = new Float32Array(length);
    this.filled = 0;
    this.hasBegun = true;
  }
}

registerProcessor("sayso-collector", Collector);
