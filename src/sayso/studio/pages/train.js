// Step 3: one button; the training is a process of its own, which this page only follows.
import { ask, counted, element, guarded, make, percent } from "./api.js";
import { drawCurves } from "./curves.js";
import { Job } from "./job.js";

const STATES = {
  running: "Training.",
  stopping: "Stopping; what is done so far is kept.",
  finished: "Finished.",
  stopped: "Stopped; it can go on where it was.",
  failed: "It ended with an error.",
};

const job = new Job("train", {
  states: STATES,
  shown: (now, status) => {
    if (status && now.state === "finished") status.append(" ", make("a", { href: "#score" }, "See the score"));
    showCurves(now.parts);
  },
  over: showRuns,
});

export async function show(state) {
  const people = counted(state.speakers.length, "person", "people");
  const beside = state.corrections ? ` Beside them ${counted(state.corrections, "clip")} of what was wrong in Talk, which only train.` : "";
  const wrong = state.corrections ? ` What was wrong in Talk (${counted(state.corrections, "clip")}) trains beside such recordings alone, and not now.` : "";
  const nameless = state.nameless ? ` ${counted(state.nameless, "file or folder has a name that is no text, and is", "files and folders have names that are no text, and are")} not shown; rename what should count.` : "";
  element("train-what").textContent = state.clips
    ? `${counted(state.clips, "clip")} of ${counted(state.words.length, "word")} by ${people}.${beside}${nameless}`
    : state.voices && state.words.length > 1
      ? `There are no clips: synthetic voices will say the words. Recordings of people make it better.${wrong}`
      : "There are no clips yet. Record some first.";
  await job.follow("/api/training");
  await showRuns();
}

export function leave() {
  job.leave();
}

function showCurves(parts) {
  const part = parts.find((each) => each.fold === "") ?? parts.at(-1);
  element("chart-figure").hidden = !part;
  if (!part) return;
  drawCurves(element("chart"), part.epochs);
  const tail = (set) => part.epochs.filter((each) => each.set === set).at(-1);
  const loss = (row) => row.loss?.toFixed(3) ?? "no number"; // the training went astray
  const [own, other] = [tail("train"), tail("validation")];
  const whose = part.fold === "" ? "" : `Without speaker ${Number(part.fold) + 1}, who is left out for the score. `;
  const validation = other ? `; on validation clips loss ${loss(other)}, ${percent(other.accuracy)} right` : "";
  element("chart-caption").textContent = `${whose}Epoch ${own.epoch}: loss ${loss(own)}, ${percent(own.accuracy)} right${validation}.`;
}

async function showRuns() {
  const { runs } = await ask("/api/runs");
  const items = runs.map((run) => {
    const facts = { finished: `${percent(run.accuracy)} right`, unfinished: "stopped", running: "running" }[run.state];
    const item = make("li", {}, make("span", {}, run.name), make("span", { class: "muted" }, facts));
    if (run.state === "unfinished") {
      const resume = make("button", { type: "button", "aria-label": `Resume ${run.name}` }, "Resume");
      resume.addEventListener("click", guarded(async () => {
        await ask(`/api/runs/${encodeURIComponent(run.name)}/resume`, { method: "POST", json: {} });
        await job.look();
        await showRuns();
      }));
      item.append(resume);
    }
    return item;
  });
  element("runs").replaceChildren(...(items.length ? items : [make("li", {}, make("span", { class: "muted" }, "none yet"))]));
}

element("train-form").addEventListener(
  "submit",
  guarded(async (event) => {
    event.preventDefault();
    const wanted = { small: element("small").checked };
    if (element("language").value.trim()) wanted.language = element("language").value.trim();
    if (element("epochs").value) wanted.epochs = Number(element("epochs").value);
    await ask("/api/training", { method: "POST", json: wanted });
    await job.look();
  }),
);
element("train-form").addEventListener("submit", (event) => event.preventDefault());
