// Step 5: the microphone runs the exported file in this page, by the modules that any web page can have.
import { ask, element, make } from "./api.js";
import * as costs from "./costs.js";
import { Wrong, showCorrections } from "./wrong.js";

let recogniser;
const wrong = new Wrong();
let visit = 0; // a model that is loaded after the person has left is let go at once

export async function show(state) {
  const { runs } = await ask("/api/runs");
  const run = runs.find((each) => each.state === "finished");
  const body = element("talk-body");
  if (!run) {
    body.replaceChildren(make("p", {}, "Nothing has been trained to its end yet. ", make("a", { href: "#train" }, "Train"), " comes first."));
    return;
  }
  visit += 1;
  const own = visit;
  const { showTalk } = await import("/web/talk.js");
  wrong.prepare(state, run.name);
  await showCorrections();
  const loaded = await showTalk(body, { url: `/runs/${encodeURIComponent(run.name)}/web/`, wrong });
  if (own !== visit) {
    loaded?.close();
    return;
  }
  recogniser?.close();
  recogniser = loaded;
  if (!loaded) return;
  const over = () => own === visit && show(state);
  await costs.show(run.name, { isKnown: Boolean(loaded.facts.curve), over });
}

addEventListener("beforeunload", (event) => {
  if (wrong.pending) event.preventDefault();
});

export function leave() {
  visit += 1;
  costs.leave();
  recogniser?.close();
  recogniser = undefined;
}
