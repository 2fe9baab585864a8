// Pages about the recordings that are made on demand: the audit of them, and the comparison of what was trained.
import { ask, counted, element, guarded, make } from "./api.js";
import { Job } from "./job.js";

const KINDS = {
  audit: {
    what: "Looks through all clips for faults: silent, cut off, nearly alike, among those of another word. Hear the worst of each, and mark what is to be left out or says another word.",
    start: "Look through the recordings",
    again: "Look again",
    title: "Audit of the recordings",
    of: "of this audit",
    on: "Looking through the recordings.",
  },
  comparison: {
    what: "Holds the last trainings against each other, on the clips that all of them were tested on.",
    start: "Compare the last trainings",
    again: "Compare again",
    title: "Comparison of trainings",
    of: "of this comparison",
    on: "Comparing.",
  },
};

let kind, framed;

const job = new Job("made", {
  states: { running: "", stopping: "Stopping.", finished: "Finished.", stopped: "Stopped.", failed: "It ended with an error." },
  // What it said in its own words stands better on the page that it made.
  shown: (now) => (element("made-lines").hidden ||= now.state === "finished"),
  over: (now) => showPages(now.state === "finished" ? now.name : undefined),
});

/** Show the newest page of a kind in the frame, and what makes another. */
export async function show(which, frame) {
  [kind, framed] = [which, frame];
  const { what, on } = KINDS[kind];
  element("made").hidden = false;
  element("made-what").textContent = what;
  job.states.running = on;
  await showPages();
  if (!element("made").hidden) await job.follow(`/api/${kind}`);
}

export function leave() {
  job.leave();
  element("made").hidden = true;
}

async function showPages(wanted) {
  const own = kind;
  const { pages, why_not: whyNot } = await ask(`/api/${own}s`);
  if (own !== kind || element("made").hidden) return;
  const select = element("made-page");
  const before = wanted ?? select.value;
  select.replaceChildren(...pages.map((each) => make("option", { value: each.name }, `${each.name}, ${counted(each.clips, "clip")}`)));
  if (pages.some((each) => each.name === before)) select.value = before;
  element("made-choice").hidden = pages.length < 2;
  element("made-start").textContent = pages.length ? KINDS[own].again : KINDS[own].start;
  element("made-start").hidden = Boolean(whyNot);
  element("made-why-not").textContent = whyNot && `${whyNot[0].toUpperCase()}${whyNot.slice(1)}.`;
  element("made-why-not").hidden = !whyNot;
  showPage();
}

function showPage() {
  const name = encodeURIComponent(element("made-page").value);
  if (!name) framed.hide();
  else {
    const { title, of } = KINDS[kind];
    framed.show({ address: `/${kind}s/${name}/page.html`, marks: `/api/${kind}s/${name}/marks`, title, link: `The ${kind} as a page of its own`, of });
  }
}

element("made-page").addEventListener("change", guarded(showPage));
element("made-start").addEventListener("click", guarded(async () => {
  await ask(`/api/${kind}`, { method: "POST", json: {} });
  await job.follow(`/api/${kind}`);
}));
