// Step 5: the place of the page that the exported model runs in.
import { ask, element, make } from "./api.js";

export async function show() {
  const { runs } = await ask("/api/runs");
  const run = runs.find((each) => each.state === "finished");
  const body = element("talk-body");
  if (!run) {
    body.replaceChildren(make("p", {}, "Nothing has been trained to its end yet. ", make("a", { href: "#train" }, "Train"), " comes first."));
    return;
  }
  body.replaceChildren(
    make("p", {}, "Talk to the model in a terminal of the folder in which the studio was started:"),
    make("pre", { tabindex: 0 }, `sayso listen --model runs/${run.name}`),
  );
}
