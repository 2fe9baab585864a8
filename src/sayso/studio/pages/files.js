// Files that are dropped on the page, or chosen: each is sent by itself, and what was found in it is said beside it.
import { ask, element, guarded, make } from "./api.js";

let limits;

async function send(file, word, speaker) {
  limits ??= (await ask("/api/state")).limits;
  const item = make("li", {}, make("span", {}, file.name));
  element("file-results").prepend(item);
  const mark = make("span", {}, "…");
  item.append(mark);
  try {
    if (file.size > limits.bytes) throw new Error(`It is larger than ${limits.bytes >> 20} MB, the most that is taken.`);
    const clip = await ask("/api/files", { method: "POST", clip: { word, speaker, name: file.name }, body: file });
    mark.textContent = clip.remarks.length ? `kept. ${clip.remarks.join(" ")}` : "kept";
    mark.classList.toggle("remark", clip.remarks.length > 0);
  } catch (error) {
    mark.textContent = error.message;
    mark.classList.add("remark");
  }
}

export function takeFiles({ word, speaker, done }) {
  const take = guarded(async (files) => {
    if (!word()) throw new Error("There are no words yet. Type them first, under Words.");
    if (!speaker()) {
      element("speaker").focus();
      throw new Error("Who speaks in these files? Type a name above.");
    }
    const [of, by] = [word(), speaker()];
    for (const file of files) await send(file, of, by);
    await done();
  });
  const input = element("file-input");
  input.addEventListener("change", async () => {
    await take([...input.files]);
    input.value = "";
  });
  const drop = element("drop");
  const over = (event) => {
    event.preventDefault();
    drop.classList.add("over");
  };
  drop.addEventListener("dragover", over);
  drop.addEventListener("dragenter", over);
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    take([...event.dataTransfer.files]);
  });
}
