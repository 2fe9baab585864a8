// Collects the microphone's samples, one channel, at the context's own rate; says the level, and gives whole takes.

const LEVEL_SECONDS = 0.05;

class Collector extends AudioWorkletProcessor {
  constructor() {
    super();
    this.take = null;
    this.filled = 0;
    this.power = 0;
    this.counted = 0;
    this.port.onmessage = ({ data }) => {
      this.take = data.samples ? new Float32Array(data.samples) : null;
      this.filled = 0;
    };
  }

  process([channels]) {
    if (!channels.length) return true;
    const [samples] = channels;
    this.measure(samples);
    if (this.take) this.collect(samples);
    return true;
  }

  collect(samples) {
    const part = samples.subarray(0, this.take.length - this.filled);
    this.take.set(part, this.filled);
    this.filled += part.length;
    if (this.filled < this.take.length) return;
    this.port.postMessage({ take: this.take }, [this.take.buffer]);
    this.take = null;
  }

  measure(samples) {
    for (const sample of samples) this.power += sample * sample;
    this.counted += samples.length;
    if (this.counted < LEVEL_SECONDS * sampleRate) return;
    this.port.postMessage({ level: 10 * Math.log10(this.power / this.counted + 1e-10) });
    this.power = 0;
    this.counted = 0;
  }
}

registerProcessor("sayso-collector", Collector);
