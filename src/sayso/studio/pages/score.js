// Step 4: what would help most, and below it the report of the training, the audit, or the comparison.
import { ask, counted, element, guarded, make, percent } from "./api.js";
import { Framed } from "./framed.js";
import * as made from "./made.js";

const framed = new Framed(element("report"), element("report-link"));
const shows = [...document.querySelectorAll("#shows button")];
let newest; // the run that had ended last at the last look
let shown; // which of the pages, once a person or a look has chosen one
let score;

export async function show() {
  const { runs } = await ask("/api/runs");
  const finished = runs.filter((run) => run.state === "finished");
  const select = element("score-run");
  const before = select.value;
  select.replaceChildren(...finished.map((run) => make("option", {}, run.name)));
  if (finished.some((run) => run.name === before)) select.value = before;
  // A training that has ended since stands first.
  if (finished.length && finished[0].name !== newest) select.value = finished[0].name;
  newest = finished[0]?.name;
  element("score-none").hidden = finished.length > 0;
  element("score-body").hidden = !finished.length;
  select.closest("p").hidden = finished.length < 2;
  score = undefined;
  if (finished.length) await load(select.value);
  else await showPage(shown ?? "report");
}

export function leave() {
  made.leave();
  framed.leave();
}

const interval = (pair) => (pair ? `${percent(pair[0])} to ${percent(pair[1])}` : "–");

async function load(name) {
  try {
    score = await ask(`/api/runs/${encodeURIComponent(name)}`);
  } catch (error) {
    // It was removed meanwhile: what is below does without it.
    element("score-body").hidden = true;
    await showPage(shown ?? "report");
    throw error;
  }
  element("score-accuracy").textContent = percent(score.accuracy);
  const lines = [`of ${counted(score.n, "test clip")} recognised`, `95 % interval ${interval(score.ci95)}`, score.split].filter(Boolean);
  element("score-beside").replaceChildren(...lines.flatMap((line, place) => (place ? [make("br"), make("span", { class: "muted" }, line)] : [line])));
  element("advice").replaceChildren(...score.advice.map((each) => make("li", {}, each)));
  element("advice-basis").textContent = score.advice_basis;
  element("people-box").hidden = !score.by_speaker.length;
  const rows = score.by_speaker.map((each) =>
    make("tr", {}, make("th", { scope: "row" }, each.speaker), make("td", {}, percent(each.accuracy)), make("td", {}, String(each.n)), make("td", {}, interval(each.ci95))),
  );
  element("people").replaceChildren(...rows);
  element("model-link").hidden = !score.has_model;
  element("model-link").href = `/runs/${encodeURIComponent(name)}/model.onnx`;
  await showPage(shown ?? "report");
}

async function showPage(which) {
  const hasReport = Boolean(score?.has_report);
  shows[0].hidden = !hasReport;
  const now = which === "report" && !hasReport ? undefined : which;
  for (const button of shows) button.setAttribute("aria-pressed", String(button.dataset.shows === now));
  made.leave();
  if (now === "report") {
    const name = encodeURIComponent(score.name);
    const address = `/runs/${name}/report.html`;
    framed.show({ address, marks: `/api/runs/${name}/marks`, title: "Report of the training", link: "The report as a page of its own", of: "of this test" });
  } else if (now) await made.show(now, framed);
  else framed.hide();
}

for (const button of shows) {
  button.addEventListener("click", guarded(() => {
    shown = button.dataset.shows;
    return showPage(shown);
  }));
}
element("score-run").addEventListener("change", guarded(() => load(element("score-run").value)));
