/** The sound of a word that was got wrong, cut out of what the microphone heard last, and sound as a WAV file. */

const MARGIN_SECONDS = 0.3;
const STEP_SECONDS = 0.05;

/**
 * Cut what may have been wrong out of what was heard last, likelier first.
 * @param {{samples: Float32Array, sampleRate: number, at: number}} recent as `Sayso.recent` gives it
 * @param {?{word: string, start: number, end: number, at: number}} detection the last one
 * @param {number} windowSeconds how much sound an answer hears
 * @returns {{heard: ?object, samples: Float32Array}[]} each with the detection in it, or null: a word that was not detected
 */
export function cutClips(recent, detection, windowSeconds) {
  const { samples, sampleRate } = recent;
  const margin = Math.round(MARGIN_SECONDS * sampleRate);
  const length = Math.round(windowSeconds * sampleRate) + 2 * margin;
  const cuts = [];
  let from = 0;
  if (detection) {
    const end = samples.length - Math.round(((recent.at - detection.at) / 1000) * sampleRate);
    const start = end - Math.round((detection.end - detection.start) * sampleRate);
    if (start >= -margin) cuts.push({ heard: detection, samples: part(samples, start - margin, end + margin) });
    from = Math.max(0, end);
  }
  // What came after a detection, where that is enough for a word; else all.
  if (samples.length - from < length / 2) from = 0;
  const loudest = from + loudestStart(samples.subarray(from), length, Math.round(STEP_SECONDS * sampleRate));
  cuts.push({ heard: null, samples: part(samples, loudest, loudest + length) });
  return cuts;
}

function part(samples, start, end) {
  return samples.slice(Math.max(0, start), Math.min(samples.length, end));
}

/** Where the stretch of so many samples begins that has the most power. */
function loudestStart(samples, length, step) {
  let best = 0;
  let most = -1;
  for (let start = 0; start === 0 || start + length <= samples.length; start += step) {
    let power = 0;
    for (const sample of samples.subarray(start, start + length)) power += sample * sample;
    if (power > most) [most, best] = [power, start];
  }
  return best;
}

/**
 * Write sound as a WAV file of one channel, 16 bits a sample.
 * @param {Float32Array} samples in [-1, 1]; what lies outside is clipped
 * @param {number} sampleRate in hertz
 * @returns {Blob}
 */
export function wavFile(samples, sampleRate) {
  const bytes = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const write = (place, text) => [...text].forEach((sign, at) => bytes.setUint8(place + at, sign.charCodeAt(0)));
  write(0, "RIFF");
  bytes.setUint32(4, 36 + 2 * samples.length, true);
  write(8, "WAVEfmt ");
  bytes.setUint32(16, 16, true);
  bytes.setUint16(20, 1, true);
  bytes.setUint16(22, 1, true);
  bytes.setUint32(24, sampleRate, true);
  bytes.setUint32(28, 2 * sampleRate, true);
  bytes.setUint16(32, 2, true);
  bytes.setUint16(34, 16, true);
  write(36, "data");
  bytes.setUint32(40, 2 * samples.length, true);
  samples.forEach((sample, at) => bytes.setInt16(44 + 2 * at, Math.max(-32768, Math.min(32767, Math.round(32768 * sample))), true));
  return new Blob([bytes.buffer], { type: "audio/wav" });
}

/** Have the browser save what was cut first, as a file. */
export function saveFirst([{ heard, samples }], { sampleRate }) {
  const time = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  const word = (heard?.word ?? "unheard").replace(/[^\p{L}\p{N}]+/gu, "-");
  const url = URL.createObjectURL(wavFile(samples, sampleRate));
  const link = document.createElement("a");
  Object.assign(link, { href: url, download: `sayso-${word}-${time}.wav` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
