/** Collects the microphone's samples into blocks and sends them to the worker; counts what the browser left out. */

const BLOCK_SECONDS = 0.02;

class Collector extends AudioWorkletProcessor {
  constructor() {
    super();
    this.block = new Float32Array(Math.round(BLOCK_SECONDS * sampleRate));
    this.filled = 0;
    this.dropped = 0;
    this.expected = null;
    this.hasBegun = false; // while the sound begins, browsers skip
    this.port.onmessage = ({ data }) => (this.worker = data.port);
  }

  process([channels]) {
    const frames = channels.length ? channels[0].length : 0;
    if (!frames || !this.worker) return true;
    if (this.expected !== null && currentFrame > this.expected) this.dropped += (currentFrame - this.expected) / frames;
    if (this.hasBegun) this.expected = currentFrame + frames;
    for (let place = 0; place < frames; place++) {
      let sum = 0;
      for (const channel of channels) sum += channel[place];
      this.block[this.filled++] = sum / channels.length;
      if (this.filled === this.block.length) this.#send();
    }
    return true;
  }

  #send() {
    const samples = this.block;
    const { length } = samples;
    this.worker.postMessage({ samples, dropped: this.dropped, at: Date.now() }, [samples.buffer]);
    this.block = new Float32Array(length);
    this.filled = 0;
    this.hasBegun = true;
  }
}

registerProcessor("sayso-collector", Collector);
