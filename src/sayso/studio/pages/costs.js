// What the thresholds of a model cost, measured on demand: then its dials say it.
import { ask, element, guarded } from "./api.js";
import { Job } from "./job.js";

let path, measured;

const job = new Job("costs", {
  states: { running: "Measuring.", stopping: "Stopping.", finished: "Finished: the dials say it.", stopped: "Stopped.", failed: "It ended with an error." },
  // What it said in its own words stands better at the dials.
  shown: (now) => (element("costs-lines").hidden ||= now.state === "finished"),
  over: (now) => now.state === "finished" && measured(),
});

/** Offer to measure a run; `isKnown` where it was measured before, `over` is called once it has been. */
export async function show(run, { isKnown, over }) {
  path = `/api/runs/${encodeURIComponent(run)}/costs`;
  measured = over;
  element("costs").hidden = false;
  element("costs-start").textContent = isKnown ? "Measure it again" : "Measure it";
  await job.follow(path);
}

export function leave() {
  job.leave();
  element("costs").hidden = true;
}

element("costs-start").addEventListener("click", guarded(async () => {
  await ask(path, { method: "POST", json: {} });
  await job.follow(path);
}));
