/** Everything that can go wrong for a person, as one plain sentence each; `kind` is for programs. */

export class SaysoError extends Error {
  /**
   * @param {string} kind `not-sayso`, `not-found`, `newer`, `damaged`, `no-simd`, `insecure`, `no-microphone`, `refused`,
   *   `busy`, `too-large`, `slow`, `stopped` or `closed`
   * @param {string} message a sentence for a person
   * @param {object} options as of `Error`
   */
  constructor(kind, message, options) {
    super(message, options);
    this.name = "SaysoError";
    this.kind = kind;
  }
}

// An empty module with one SIMD instruction (i32x4.splat): https://github.com/GoogleChromeLabs/wasm-feature-detect
const SIMD = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];

/** Throw unless this browser can run a model at all. */
export function checkBrowser() {
  if (typeof WebAssembly !== "object" || !WebAssembly.validate(new Uint8Array(SIMD))) {
    throw new SaysoError(
      "no-simd",
      "This browser cannot run the model: it lacks WebAssembly SIMD, which browsers have had since 2021 (Safari since 2023). Update it, or use another one.",
    );
  }
}

/** What `getUserMedia` threw, as a sentence. */
export function microphoneFault(error) {
  const sentences = {
    NotFoundError: ["no-microphone", "There is no microphone: connect one, then try again."],
    NotAllowedError: [
      "refused",
      "The microphone is not allowed here: allow it for this page (the sign beside the address), then try again.",
    ],
    NotReadableError: ["busy", "The microphone cannot be heard: another program may hold it, or the system forbids it."],
  };
  sentences.SecurityError = sentences.NotAllowedError;
  sentences.OverconstrainedError = sentences.NotFoundError;
  const [kind, text] = sentences[error.name] ?? ["no-microphone", `The microphone cannot be opened (${error.message}).`];
  return new SaysoError(kind, text);
}

/** Throw where browsers give no page a microphone. */
export function checkMicrophone() {
  if (!window.isSecureContext || !navigator.mediaDevices?.getUserMedia) {
    throw new SaysoError(
      "insecure",
      `Browsers give no microphone to a page on plain http from another computer (${location.host}): open it by https, or on the computer itself as http://localhost.`,
    );
  }
}
