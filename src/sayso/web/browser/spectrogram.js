/** A spectrogram that scrolls as time does, with words marked where they were heard. */

const PIXELS_A_SECOND = 60;
const FFT_SECONDS = 0.02;
const LOUD_DB = [-100, -30];

export class Spectrogram {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {number} highest frequency that is shown, in hertz: what the model hears
   */
  constructor(canvas, highest) {
    Object.assign(this, { canvas, highest });
    this.paint = canvas.getContext("2d");
    this.words = [];
    this.frame = null;
    this.fits = false; // what is drawn, to the size and the colours of the page
    this.isPainted = false; // in the colours of the page
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.fits = this.isPainted = false;
    });
    new ResizeObserver(() => (this.fits = false)).observe(canvas);
  }

  /** Show a microphone's sound; `tell` gets its level in dB below full scale. */
  start({ context, source }, tell) {
    this.analyser = context.createAnalyser();
    this.analyser.fftSize = 2 ** Math.ceil(Math.log2(FFT_SECONDS * context.sampleRate));
    this.analyser.smoothingTimeConstant = 0;
    [this.analyser.minDecibels, this.analyser.maxDecibels] = LOUD_DB;
    source.connect(this.analyser);
    this.powers = new Uint8Array(this.analyser.frequencyBinCount);
    this.wave = new Float32Array(this.analyser.fftSize);
    this.shown = Math.min(1, this.highest / (context.sampleRate / 2));
    this.fits = false;
    this.last = null;
    const draw = (now) => {
      this.#draw(now, tell);
      this.frame = requestAnimationFrame(draw);
    };
    this.frame = requestAnimationFrame(draw);
  }

  /** Stop; what is drawn stays. */
  stop() {
    cancelAnimationFrame(this.frame);
  }

  /** Mark a word at the newest sound. */
  mark(word) {
    this.words.push(word);
  }

  #fit() {
    const { canvas } = this;
    const { width, height } = canvas.getBoundingClientRect();
    const before = this.isPainted && canvas.width && canvas.height ? copyOf(canvas) : null;
    this.scale = devicePixelRatio;
    canvas.width = Math.round(width * this.scale);
    canvas.height = Math.round(height * this.scale);
    if (before) this.paint.drawImage(before, canvas.width - before.width, 0, before.width, canvas.height);
    this.colours = makeColours(canvas);
    this.fits = this.isPainted = true;
  }

  #draw(now, tell) {
    if (!this.fits) this.#fit();
    const { canvas, paint } = this;
    if (!canvas.width || !canvas.height) return; // another step is shown
    const wide = this.last === null ? 1 : Math.round(((now - this.last) / 1000) * PIXELS_A_SECOND * this.scale);
    if (wide < 1) return;
    this.last = now;
    this.analyser.getByteFrequencyData(this.powers);
    this.analyser.getFloatTimeDomainData(this.wave);
    tell(level(this.wave));
    paint.drawImage(canvas, -wide, 0);
    const column = paint.createImageData(1, canvas.height);
    for (let row = 0; row < canvas.height; row++) {
      const share = (canvas.height - 1 - row) / canvas.height;
      const power = this.powers[Math.floor(share * this.shown * this.powers.length)];
      column.data.set(this.colours[power], 4 * row);
    }
    for (let place = 1; place <= wide; place++) paint.putImageData(column, canvas.width - place, 0);
    for (const word of this.words.splice(0)) this.#write(word);
  }

  #write(word) {
    const { canvas, paint, scale } = this;
    const style = getComputedStyle(canvas);
    paint.fillStyle = style.getPropertyValue("--vermilion");
    paint.fillRect(canvas.width - 2 * scale, 0, 2 * scale, canvas.height);
    paint.font = `600 ${14 * scale}px ${style.getPropertyValue("--sans")}`;
    paint.textAlign = "right";
    paint.textBaseline = "top";
    paint.fillStyle = style.getPropertyValue("--ink");
    paint.fillText(word, canvas.width - 6 * scale, 6 * scale);
  }
}

/** What a canvas shows, which a new size wipes out. */
function copyOf(canvas) {
  const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
  copy.getContext("2d").drawImage(canvas, 0, 0);
  return copy;
}

/** The root mean square of samples, in dB below full scale. */
function level(wave) {
  return 10 * Math.log10(wave.reduce((sum, sample) => sum + sample * sample, 0) / wave.length);
}

/** 256 colours from the page's own: its card, its blue, its ink. */
function makeColours(element) {
  const style = getComputedStyle(element);
  const stops = ["--card", "--blue", "--ink"].map((name) => parseColour(style.getPropertyValue(name)));
  return Array.from({ length: 256 }, (_, power) => {
    const place = (power / 255) * (stops.length - 1);
    const low = Math.min(stops.length - 2, Math.floor(place));
    return [0, 1, 2].map((part) => stops[low][part] + (place - low) * (stops[low + 1][part] - stops[low][part])).concat(255);
  });
}

function parseColour(text) {
  const digits = text.trim().slice(1);
  return [0, 2, 4].map((place) => parseInt(digits.slice(place, place + 2), 16));
}
