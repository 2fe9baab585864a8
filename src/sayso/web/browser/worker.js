/** Runs the model apart from the page: onnxruntime-web on one thread, samples in, answers out, in their order. */

import { fetchFile, readFacts } from "./facts.js";
import { SaysoError } from "./faults.js";
import { Hops, Stateful, Windows, quantise } from "./hops.js";
import { Resampler } from "./resampler.js";

const MOST_WAITING_SECONDS = 5;

let ort;
let facts;
let hops;
let resampler = null;
let rate = null;
let heardPort = null;
let queue = Promise.resolve();

/** Fetch a file, and open it where it is gzipped; a server may have opened it already. */
async function fetchOpened(url, what) {
  const bytes = await (await fetchFile(url, what)).arrayBuffer();
  const [first, second] = new Uint8Array(bytes, 0, 2);
  if (first !== 0x1f || second !== 0x8b) return bytes;
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

async function load(url) {
  const runtime = (name) => new URL(`onnxruntime/${name}`, import.meta.url).href;
  const wasm = fetchOpened(runtime("ort.wasm.gz"), "onnxruntime");
  wasm.catch(() => {}); // it is waited for below
  facts = await readFacts(url);
  const graph = fetchOpened(facts.graph.url, "The model");
  graph.catch(() => {});
  ort = await import(runtime("ort.js"));
  Object.assign(ort.env.wasm, { numThreads: 1, wasmPaths: { mjs: runtime("glue.js") }, wasmBinary: await wasm });
  ort.env.logLevel = "error";
  let scorer;
  try {
    const session = await ort.InferenceSession.create(new Uint8Array(await graph), { executionProviders: ["wasm"], logSeverityLevel: 3 });
    scorer = makeScorer(session);
    await scorer.score(new Int16Array(scorer.hop), { history: new Int16Array(scorer.first * scorer.hop), fresh: true });
  } catch (error) {
    if (error instanceof SaysoError) throw error;
    throw new SaysoError("damaged", `${facts.graph.url} cannot be run: export the model again (${error.message}).`);
  }
  hops = new Hops(scorer, { words: facts.labels.length, gateDb: facts.stream.gate_db });
  return facts;
}

function makeScorer(session) {
  const { graph, audio } = facts;
  if (graph.form === "stateful") return new Stateful(ort, session, graph);
  return new Windows(ort, session, { hop: graph.hop, length: audio.clip_samples });
}

function reset() {
  hops.reset();
  resampler = null;
  rate = null;
}

/** Take samples at a rate; gives what the page is told, and whether a new stream begins with them. */
async function hear(samples, sampleRate) {
  const begins = rate !== sampleRate;
  if (begins) {
    reset();
    rate = sampleRate;
    resampler = sampleRate === facts.audio.sample_rate ? null : new Resampler(sampleRate, facts.audio.sample_rate);
  }
  return { ...(await answer(() => (resampler ? resampler.feed(samples) : samples))), begins };
}

async function answer(atRate) {
  const start = performance.now();
  const answers = await hops.feed(quantise(atRate()));
  return { answers, milliseconds: performance.now() - start };
}

async function flush() {
  const told = await answer(() => (resampler ? resampler.flush() : new Float32Array(0)));
  reset();
  return told;
}

/** Hear a worklet through a port, which the page's own work cannot hold up, as a new stream; no other port from then on. */
function hearPort(port, sampleRate) {
  heardPort?.close();
  heardPort = port;
  reset();
  let waiting = 0;
  let skipped = 0;
  port.onmessage = ({ data: { samples, dropped, at } }) => {
    const seconds = samples.length / sampleRate;
    if (waiting > MOST_WAITING_SECONDS) {
      skipped += seconds;
      return;
    }
    waiting += seconds;
    enqueue(async () => {
      const told = await hear(samples, sampleRate);
      waiting -= seconds;
      return { type: "heard", ...told, at, dropped, skipped };
    });
  };
}

const WORK = {
  load: ({ url }) => load(url),
  feed: ({ samples, sampleRate }) => hear(samples, sampleRate),
  flush: () => flush(),
  reset: () => reset(),
  listen: ({ port, sampleRate }) => hearPort(port, sampleRate),
};

/** Do one thing after another; a fault is told, and ends nothing. */
function enqueue(work, id) {
  queue = queue.then(work).then(
    (result) => result !== undefined && postMessage(id === undefined ? result : { id, result }),
    (error) => postMessage({ id, fault: { kind: error.kind ?? "damaged", message: error.message } }),
  );
}

self.onmessage = ({ data }) => enqueue(async () => (await WORK[data.type](data)) ?? null, data.id);
