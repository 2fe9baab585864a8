/** Reading `model.json`, which `sayso export --web` writes beside the graph (`sayso/web/description.py`). */

import { SaysoError } from "./faults.js";

const FORMAT_VERSION = 1;
const MOST_BYTES = 200_000_000;

/** Fetch a file; gives the response. */
export async function fetchFile(url, what) {
  let response;
  try {
    response = await fetch(url);
  } catch {
    throw new SaysoError("not-found", `${what} cannot be loaded (${url}): is the server still there?`);
  }
  if (response.ok) return response;
  const why = await toldBy(response);
  throw new SaysoError("not-found", why ? `${what} cannot be loaded. ${why}.` : `${what} is not at ${url} (HTTP ${response.status}).`);
}

/** What a server that knows of models says is wrong; null: nothing, as those of files do. */
async function toldBy(response) {
  try {
    const { error } = await response.json();
    return typeof error === "string" ? error : null;
  } catch {
    return null;
  }
}

/**
 * Fetch and check what is told of a model.
 * @param {string|URL} url of `model.json`, or of the folder with it (which ends with a slash)
 * @returns {Promise<object>} its facts, with `graph.url`
 */
export async function readFacts(url) {
  const place = new URL(String(url).endsWith("/") ? "model.json" : "", url);
  const text = await (await fetchFile(place, "The model")).text();
  let facts;
  try {
    facts = JSON.parse(text);
  } catch {
    facts = null;
  }
  if (facts?.format !== "sayso-web") {
    throw new SaysoError("not-sayso", `${place} is no model for a web page: make one with "sayso export RUN --web FOLDER".`);
  }
  if (facts.format_version !== FORMAT_VERSION) {
    throw new SaysoError(
      "newer",
      `${place} is of format ${facts.format_version}, and this page reads ${FORMAT_VERSION}: export the model again, all files of it.`,
    );
  }
  if (!isWhole(facts)) throw new SaysoError("damaged", `${place} is damaged: export the model again.`);
  if (facts.graph.bytes > MOST_BYTES) {
    const megabytes = Math.round(facts.graph.bytes / 1e6);
    throw new SaysoError("too-large", `The model has ${megabytes} MB, more than a page should load (${MOST_BYTES / 1e6} MB).`);
  }
  facts.graph.url = new URL(facts.graph.file, place).href;
  return facts;
}

function isWhole(facts) {
  const { labels, audio, stream, graph } = facts;
  const isList = Array.isArray(labels) && labels.length > 0 && labels.every((label) => typeof label === "string" && label);
  const numbers = [audio?.sample_rate, audio?.clip_samples, graph?.hop, graph?.bytes, stream?.hop_seconds, stream?.smoothing];
  const isStateful = graph?.form === "stateful" && Array.isArray(graph.state) && graph.lead >= 0 && graph.first >= 0;
  return (
    isList &&
    numbers.every((number) => Number.isFinite(number) && number > 0) &&
    Array.isArray(stream.thresholds) &&
    typeof graph.file === "string" &&
    (graph.form === "windows" || isStateful)
  );
}
