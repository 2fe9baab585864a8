// Step 1: the words, and what is spoken for each.
import { ask, counted, element, guarded, make } from "./api.js";

const rows = element("word-rows");
let saved = "[]"; // what the rows held when they were last shown as the studio has them

const typed = () =>
  [...rows.children].map((row) => ({
    word: row.querySelector("[name=word]").value.trim(),
    spoken: row.querySelector("[name=spoken]").value.trim(),
  }));
const held = () => JSON.stringify(typed().filter((each) => each.word || each.spoken));
const isUnsaved = () => held() !== saved;

function addRow({ word = "", spoken = "", clips = 0 } = {}) {
  const input = make("input", { name: "word", maxlength: 100, autocomplete: "off", spellcheck: "false", value: word });
  const said = make("input", { name: "spoken", maxlength: 100, autocomplete: "off", placeholder: "the word itself", value: spoken });
  const name = clips ? `word, ${counted(clips, "clip")}` : "word";
  input.readOnly = clips > 0;
  const remove = make("button", { type: "button", disabled: clips > 0, title: clips ? "Remove its clips first" : "" }, "Remove");
  const row = make("div", { class: "row" }, make("label", {}, name, input), make("label", {}, "spoken", said), remove);
  remove.addEventListener("click", () => {
    row.remove();
    element("add-word").focus();
  });
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const next = row.nextElementSibling ?? addRow();
    next.querySelector("input").focus();
  });
  rows.append(row);
  return row;
}

export function show(state) {
  if (isUnsaved()) element("words-saved").textContent = "These words are not saved yet.";
  else fill(state);
}

function fill(state) {
  rows.replaceChildren();
  for (const word of state.words) addRow(word);
  for (let missing = 3 - state.words.length; missing > 0; missing -= 1) addRow();
  element("words-saved").textContent = "";
  saved = held();
}

element("add-word").addEventListener("click", () => addRow().querySelector("input").focus());
element("words-form").addEventListener(
  "submit",
  guarded(async (event) => {
    event.preventDefault();
    const words = typed();
    const alone = words.findIndex((each) => each.spoken && !each.word);
    if (alone >= 0) {
      rows.children[alone].querySelector("[name=word]").focus();
      throw new Error(`Type the word for which “${words[alone].spoken}” is spoken, too.`);
    }
    const state = await ask("/api/words", { method: "PUT", json: { words: words.filter((each) => each.word) } });
    fill(state);
    const next = state.voices ? " Record them next, or train from synthetic voices alone." : " Record them next.";
    element("words-saved").textContent = `Saved: ${counted(state.words.length, "word")}.${next}`;
  }),
);
element("words-form").addEventListener("submit", (event) => event.preventDefault());
addEventListener("beforeunload", (event) => {
  if (isUnsaved()) event.preventDefault();
});
