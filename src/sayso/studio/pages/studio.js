// The steps: one is shown at a time, named by the address (#words, #record ...), so that a reload stays where it was.
import { ask, element, guarded } from "./api.js";
import * as words from "./words.js";
import * as record from "./record.js";
import * as train from "./train.js";
import * as score from "./score.js";
import * as talk from "./talk.js";

const STEPS = { words, record, train, score, talk };
let shown;

async function show() {
  const name = location.hash.slice(1) in STEPS ? location.hash.slice(1) : undefined;
  const state = await ask("/api/state");
  const step = name ?? (state.words.length ? "record" : "words");
  const heard = state.folder.split(/[\\/]/).filter(Boolean).at(-1) ?? state.folder;
  element("folder").textContent = heard;
  element("folder").title = state.folder;
  document.title = `${element(`${step}-title`).textContent} – ${heard} – Sayso studio`;
  for (const other of Object.keys(STEPS)) element(other).hidden = other !== step;
  for (const link of document.querySelectorAll(".steps a")) {
    if (link.hash === `#${step}`) link.setAttribute("aria-current", "step");
    else link.removeAttribute("aria-current");
  }
  if (shown && shown !== step) {
    STEPS[shown].leave?.();
    document.querySelector("main").focus({ preventScroll: true });
  }
  shown = step;
  await STEPS[step].show(state);
  document.body.dataset.shown = step;
}

addEventListener("hashchange", guarded(show));
await guarded(show)();
