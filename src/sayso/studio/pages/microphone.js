// The microphone as the room sounds: nothing that browsers do to voices in calls.

const AS_IT_IS = { autoGainControl: false, echoCancellation: false, noiseSuppression: false, channelCount: { ideal: 1 } };
const WHY = {
  NotAllowedError: "The browser was not allowed to use the microphone. Allow it beside the page's address, and press Record again.",
  NotFoundError: "There is no microphone. Plug one in, and press Record again.",
  NotReadableError: "Another program holds the microphone. Close that, and press Record again.",
};

export class Microphone {
  static async open({ onlevel, onlost }) {
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new Error(
        isSecureContext
          ? "This browser gives pages no microphone."
          : "Browsers give a page no microphone on plain http from another machine. Start the studio with --certificate and --key, and open it by https.",
      );
    }
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: AS_IT_IS });
    } catch (error) {
      throw new Error(WHY[error.name] ?? `The microphone cannot be used (${error.message || error.name}).`);
    }
    const context = new AudioContext();
    try {
      await context.audioWorklet.addModule("/pages/worklet.js");
    } catch {
      stream.getTracks().forEach((track) => track.stop());
      throw new Error("The studio does not answer. Is it still running in the terminal?");
    }
    await context.resume();
    return new Microphone(stream, context, onlevel, onlost);
  }

  constructor(stream, context, onlevel, onlost) {
    [this.track] = stream.getAudioTracks();
    this.context = context;
    this.sampleRate = context.sampleRate;
    this.node = new AudioWorkletNode(context, "sayso-collector", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
    context.createMediaStreamSource(stream).connect(this.node);
    this.node.port.onmessage = ({ data }) => {
      if (data.take) this.resolve?.(data.take);
      else onlevel(data.level);
    };
    this.track.addEventListener("ended", () => {
      this.isLost = true;
      this.reject?.(new Error("The microphone is gone. Plug it in again, and press Record."));
      onlost();
    });
  }

  get settings() {
    return { ...this.track.getSettings(), label: this.track.label, contextRate: this.sampleRate };
  }

  record(seconds) {
    return new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
      this.node.port.postMessage({ samples: Math.round(seconds * this.sampleRate) });
    });
  }

  drop() {
    this.node.port.postMessage({});
    this.reject?.(null);
  }

  close() {
    this.drop();
    this.track.stop();
    this.context.close();
  }
}
