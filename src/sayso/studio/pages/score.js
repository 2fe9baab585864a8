// Step 4: the run's own report, and above it what would help most. Clips marked in the report are written at once.
import { ask, counted, element, guarded, make, percent } from "./api.js";

let loaded;

export async function show() {
  const { runs } = await ask("/api/runs");
  const finished = runs.filter((run) => run.state === "finished");
  const select = element("score-run");
  const before = select.value;
  select.replaceChildren(...finished.map((run) => make("option", {}, run.name)));
  if (finished.some((run) => run.name === before)) select.value = before;
  // A training that has ended since stands first.
  if (finished.length && finished[0].name !== loaded?.newest) select.value = finished[0].name;
  element("score-none").hidden = finished.length > 0;
  element("score-body").hidden = !finished.length;
  select.closest("p").hidden = finished.length < 2;
  if (finished.length) await load(select.value, finished[0].name);
}

const interval = (pair) => (pair ? `${percent(pair[0])} to ${percent(pair[1])}` : "–");

async function load(name, newest) {
  const score = await ask(`/api/runs/${encodeURIComponent(name)}`);
  element("score-accuracy").textContent = percent(score.accuracy);
  const lines = [`of ${counted(score.n, "test clip")} recognised`, `95 % interval ${interval(score.ci95)}`, score.split].filter(Boolean);
  element("score-beside").replaceChildren(...lines.flatMap((line, place) => (place ? [make("br"), make("span", { class: "muted" }, line)] : [line])));
  element("advice").replaceChildren(...score.advice.map((each) => make("li", {}, each)));
  element("people-box").hidden = !score.by_speaker.length;
  const rows = score.by_speaker.map((each) =>
    make("tr", {}, make("th", { scope: "row" }, each.speaker), make("td", {}, percent(each.accuracy)), make("td", {}, String(each.n)), make("td", {}, interval(each.ci95))),
  );
  element("people").replaceChildren(...rows);
  const report = `/runs/${encodeURIComponent(name)}/report.html`;
  for (const [id, has] of [["report-link", score.has_report], ["report", score.has_report], ["model-link", score.has_model]]) element(id).hidden = !has;
  element("report-link").href = report;
  element("model-link").href = `/runs/${encodeURIComponent(name)}/model.onnx`;
  if (score.has_report && loaded?.name !== name) element("report").src = report;
  loaded = { name, newest };
}

// The report's frame has an origin of its own, and asks nothing of the server: what it may do, it is given here.
const report = element("report");
const answer = (told) => report.contentWindow.postMessage({ sayso: "marks", ...told }, "*");
const said = (marks) => (marks.length ? `${counted(marks.length, "clip")} of this test marked, in marks.csv; the next training takes it.` : "");
let last = Promise.resolve();

async function takeMarks(name, marks) {
  const path = `/api/runs/${encodeURIComponent(name)}/marks`;
  try {
    const kept = (await (marks ? ask(path, { method: "PUT", json: { marks } }) : ask(path))).marks;
    // What was chosen meanwhile stands in the report already.
    answer({ marks: marks ? undefined : kept, told: said(kept) });
  } catch (error) {
    const kept = await ask(path).then((is) => is.marks, () => undefined);
    answer({ marks: kept, told: `Not marked: ${error.message}` });
  }
}

addEventListener("message", ({ source, data }) => {
  if (source !== report.contentWindow || !loaded) return;
  const { name } = loaded;
  if (data?.sayso === "report") last = last.then(() => takeMarks(name));
  else if (data?.sayso === "mark") last = last.then(() => takeMarks(name, data.marks));
});

element("score-run").addEventListener("change", guarded(() => load(element("score-run").value, loaded?.newest)));
