// The microphone as the room sounds: nothing that browsers do to voices in calls.

import { askForMicrophone } from "/web/microphone.js";

export class Microphone {
  static async open({ onlevel, onlost }) {
    if (!isSecureContext) {
      throw new Error(
        "Browsers give a page no microphone on plain http from another machine. Start the studio with --certificate and --key, and open it by https.",
      );
    }
    const stream = await askForMicrophone({ channelCount: { ideal: 1 } });
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
