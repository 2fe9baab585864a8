/** Opens the microphone as it is: without gain control, echo cancelling or noise suppression, which change the sound. */

import { SaysoError, checkMicrophone, microphoneFault } from "./faults.js";

const AS_IT_IS = { autoGainControl: false, echoCancellation: false, noiseSuppression: false };

/**
 * Ask for the microphone.
 * @param {object} wanted more constraints, as for `getUserMedia`
 * @returns {Promise<MediaStream>}
 * @throws {SaysoError} with a sentence for a person
 */
export async function askForMicrophone(wanted = {}) {
  checkMicrophone();
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: { ...AS_IT_IS, ...wanted } });
  } catch (error) {
    throw microphoneFault(error);
  }
}

/**
 * Open the microphone.
 * @param {(fault: SaysoError) => void} lost called when it goes away
 * @returns {Promise<object>} `{ label, sampleRate, settings, context, source, collect(port), recent(), close() }`; `settings`
 *   is what the browser says it really does, `recent()` gives the last seconds, `{ samples, at }`
 */
export async function openMicrophone(lost) {
  const stream = await askForMicrophone();
  const [track] = stream.getAudioTracks();
  track.onended = () => lost(new SaysoError("no-microphone", "The microphone went away: connect it, then try again."));
  const context = new AudioContext({ latencyHint: "interactive" });
  const close = () => {
    track.onended = null;
    track.stop();
    context.close();
  };
  try {
    await Promise.all([context.audioWorklet.addModule(new URL("worklet.js", import.meta.url)), context.resume()]);
  } catch (error) {
    close();
    const what = "A part of this page, worklet.js, cannot be had: its server does not answer, or lacks the file.";
    throw new SaysoError("not-found", what, { cause: error });
  }
  const source = context.createMediaStreamSource(stream);
  const collector = new AudioWorkletNode(context, "sayso-collector", { numberOfInputs: 1, outputChannelCount: [1] });
  const asked = [];
  collector.port.onmessage = ({ data }) => asked.shift()(data);
  source.connect(collector).connect(context.destination); // it puts out silence; what leads nowhere may not be run
  return {
    label: track.label,
    sampleRate: context.sampleRate,
    settings: track.getSettings(),
    context,
    source,
    collect: (port) => collector.port.postMessage({ port }, [port]),
    recent: () =>
      new Promise((resolve) => {
        asked.push(resolve);
        collector.port.postMessage({ wants: "recent" });
      }),
    close,
  };
}
