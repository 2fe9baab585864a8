// Step 2: a word is shown, counted in, recorded, kept on the disk at once, and heard again; or files are dropped.
import { ask, clipUrl, counted, element, guarded, make, tell } from "./api.js";
import { Microphone } from "./microphone.js";
import { takeFiles } from "./files.js";

const COUNT_MS = 450;
const LEAD_SECONDS = 0.2; // people begin a little early
const PAUSE_MS = 700;
const MOST_SHOWN = 60;

let state = { words: [], speakers: [] };
let word; // that is asked for
let microphone;
let taking; // whose word is recorded, from the button until the clip is saved
let going = false; // goes on by itself
let last; // the clip just saved
let reviewing = false; // whether the person is asked to keep it
const unsaved = new Set();

const speaker = () => element("speaker").value.trim().replace(/\s+/g, " ");
const target = () => Math.max(1, Number(element("target").value) || 1);
const count = (each) => each.by[speaker()] ?? 0;
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export async function show(now) {
  state = now;
  element("speakers").replaceChildren(...state.speakers.map((each) => make("option", { value: each.speaker })));
  const before = element("file-word").value;
  element("file-word").replaceChildren(...state.words.map((each) => make("option", {}, each.word)));
  if (state.words.some((each) => each.word === before)) element("file-word").value = before;
  if (!element("speaker").value) element("speaker").value = sessionStorage.getItem("speaker") ?? "";
  if (!state.words.some((each) => each.word === word)) word = undefined;
  if (reviewing || taking) showPrompt();
  else chooseNext();
  await showClips();
}

export function leave() {
  stop();
  microphone?.close();
  microphone = undefined;
}

function chooseNext({ after = false } = {}) {
  const short = state.words.filter((each) => count(each) < target());
  const fewest = Math.min(...short.map(count));
  // The next in turn among those with the fewest clips, so that a person does not say one word eight times.
  const place = state.words.findIndex((each) => each.word === word);
  const begin = Math.max(0, place + (after ? 1 : 0));
  const inTurn = [...state.words.slice(begin), ...state.words.slice(0, begin)];
  word = inTurn.find((each) => short.includes(each) && count(each) === fewest)?.word ?? word ?? state.words[0]?.word;
  showPrompt();
  return short.length > 0;
}

function showPrompt() {
  const asked = taking?.word ?? word;
  const chosen = state.words.find((each) => each.word === asked);
  element("prompt-word").textContent = taking?.spoken ?? (chosen ? chosen.spoken || chosen.word : "–");
  element("take").disabled = !chosen || Boolean(taking);
  if (!chosen) say("There are no words yet. Type them first, under Words.");
  const items = state.words.map((each) => {
    const done = count(each) >= target();
    const figures = make("span", { class: done ? "done" : "" }, `${count(each)} of ${target()}${done ? " ✓" : ""}`);
    const choose = () => {
      word = each.word;
      showPrompt();
    };
    const button = make("button", { type: "button", "aria-current": each.word === asked, disabled: Boolean(taking), onclick: choose }, make("span", {}, each.word), figures);
    return make("li", {}, button);
  });
  element("progress").replaceChildren(...items);
}

function say(text, isRemark = false) {
  const place = element("prompt-state");
  place.textContent = text;
  place.classList.toggle("remark", isRemark);
}

function offer({ review = false } = {}) {
  reviewing = review;
  element("take").hidden = Boolean(taking) || review;
  element("stop").hidden = !taking && !going;
  element("keep").hidden = !review;
  element("again").hidden = !last || Boolean(taking);
  element("player").hidden = !last || Boolean(taking);
}

async function listen(own) {
  if (microphone && !microphone.isLost) return;
  say("The browser asks whether this page may hear you.");
  const opened = await Microphone.open({
    onlevel: (level) => {
      element("level").value = level;
    },
    onlost: () => {
      microphone = undefined;
      element("microphone").textContent = "The microphone is gone.";
    },
  });
  if (taking !== own) {
    opened.close(); // stopped while the browser asked
    throw null;
  }
  microphone = opened;
  const { label, sampleRate, autoGainControl, noiseSuppression, echoCancellation } = microphone.settings;
  const changed = Object.entries({ autoGainControl, noiseSuppression, echoCancellation }).filter(([, on]) => on);
  const remark = changed.length ? ` The browser changes the sound all the same: ${changed.map(([name]) => name).join(", ")}.` : "";
  element("microphone").textContent = `Heard by ${label || "a microphone"}, ${counted(sampleRate ?? microphone.sampleRate, "sample")} a second.${remark}`;
}

async function countDown(own) {
  for (const number of [3, 2, 1]) {
    element("count").textContent = number;
    await wait(number === 1 ? COUNT_MS - 1000 * LEAD_SECONDS : COUNT_MS);
    if (taking !== own) throw null;
  }
}

async function takeOne() {
  const chosen = state.words.find((each) => each.word === word);
  if (taking || !chosen) return;
  if (!speaker()) {
    element("speaker").focus();
    throw new Error("Who speaks? Type a name: the score is about people that the recogniser has not heard.");
  }
  sessionStorage.setItem("speaker", speaker());
  // Whoever types another name, or picks another word, means the next clip.
  const own = { word: chosen.word, speaker: speaker(), spoken: chosen.spoken || chosen.word };
  taking = own;
  last = undefined;
  offer();
  showPrompt();
  try {
    await listen(own);
    say("Get ready.");
    await countDown(own);
    const recording = microphone.record(chosen.seconds + LEAD_SECONDS);
    await wait(1000 * LEAD_SECONDS);
    element("count").textContent = "●";
    element("prompt").classList.add("speaking");
    say("Speak now.");
    const samples = await recording;
    calm();
    say("Saving.");
    const clip = { word: own.word, speaker: own.speaker, sample_rate: microphone.sampleRate, settings: microphone.settings };
    await save({ clip, samples });
  } finally {
    if (!taking || taking === own) {
      taking = undefined;
      calm();
      offer();
      showPrompt();
    }
  }
}

function calm() {
  element("count").textContent = "";
  element("prompt").classList.remove("speaking");
}

async function save(taken) {
  try {
    last = await ask("/api/clips", { method: "POST", clip: taken.clip, body: taken.samples });
  } catch (error) {
    going = false;
    unsaved.add(taken);
    showUnsaved();
    say("This clip is not saved yet.", true);
    throw error;
  }
  element("player").src = clipUrl(last.path);
  state = await ask("/api/state");
}

async function record() {
  going = element("on").checked;
  do {
    await takeOne();
    if (!last) return;
    await showClips();
    if (last.remarks.length) {
      going = false;
      showPrompt();
      say(last.remarks.join(" "), true);
      offer({ review: true });
      element("keep").focus();
      return;
    }
    const more = chooseNext({ after: true });
    say(more ? "Kept." : `Done: ${speaker()} has said every word ${target()} times. Is there another person?`);
    going &&= more;
    offer();
    if (going) await wait(PAUSE_MS);
  } while (going);
}

function stop() {
  going = false;
  if (taking) {
    taking = undefined;
    microphone?.drop();
    say("Stopped.");
  }
  offer();
  showPrompt();
}

const start = guarded(async () => {
  try {
    await record();
  } catch (error) {
    if (error === null) return; // stopped by the person
    going = false;
    offer();
    if (!unsaved.size) say("Nothing was recorded.");
    throw error;
  }
});

const again = guarded(async () => {
  if (!last || taking) return;
  word = last.word;
  const { path } = last;
  last = undefined;
  state = await ask(clipUrl(path), { method: "DELETE" });
  showPrompt();
  await start();
});

const keep = guarded(async () => {
  const more = chooseNext({ after: true });
  offer();
  say("Kept.");
  if (more && element("on").checked) await start();
});

async function showClips() {
  const { clips } = await ask(`/api/clips?speaker=${encodeURIComponent(speaker())}`);
  clips.sort((one, other) => (one.recorded_at < other.recorded_at ? 1 : -1));
  const items = clips.slice(0, MOST_SHOWN).map((clip) => {
    const listenTo = make("button", { type: "button", "aria-label": `Play ${clip.word}` }, "Play");
    listenTo.addEventListener("click", () => new Audio(clipUrl(clip.path)).play().catch(tell));
    const remove = make("button", { type: "button", "aria-label": `Remove this clip of ${clip.word}` }, "Remove");
    remove.addEventListener("click", guarded(async () => {
      const now = await ask(clipUrl(clip.path), { method: "DELETE" });
      if (clip.path === last?.path) {
        last = undefined;
        if (reviewing) say("");
        offer();
      }
      await show(now);
    }));
    const remarks = clip.remarks.length ? [make("span", { class: "remark" }, clip.remarks.join(" "))] : [];
    return make("li", {}, make("span", {}, clip.word), ...remarks, listenTo, remove);
  });
  const rest = clips.length > MOST_SHOWN ? [make("li", {}, make("span", {}, `and ${counted(clips.length - MOST_SHOWN, "more clip")}`))] : [];
  element("clips").replaceChildren(...items, ...rest);
  if (!clips.length) element("clips").append(make("li", {}, make("span", { class: "muted" }, "none yet")));
}

function showUnsaved() {
  element("unsaved").hidden = !unsaved.size;
  const items = [...unsaved].map((each) => {
    const button = make("button", { type: "button" }, "Save it now");
    button.addEventListener("click", guarded(async () => {
      await save(each);
      unsaved.delete(each);
      showUnsaved();
      await show(state);
    }));
    const drop = make("button", { type: "button" }, "Drop it");
    drop.addEventListener("click", () => {
      unsaved.delete(each);
      showUnsaved();
    });
    return make("li", {}, make("span", {}, `${each.clip.word}, ${each.clip.speaker}`), button, drop);
  });
  element("unsaved-clips").replaceChildren(...items);
}

element("take").addEventListener("click", start);
element("stop").addEventListener("click", stop);
element("again").addEventListener("click", again);
element("keep").addEventListener("click", keep);
element("target").addEventListener("input", showPrompt);
element("speaker").addEventListener("change", guarded(async () => {
  sessionStorage.setItem("speaker", speaker());
  chooseNext();
  await showClips();
}));
element("speaker").addEventListener("input", () => {
  if (!going) return;
  going = false; // half a name records nothing by itself
  offer();
});
element("next-person").addEventListener("click", guarded(async () => {
  stop();
  last = undefined;
  offer();
  element("speaker").value = "";
  sessionStorage.removeItem("speaker");
  say("Type the next person's name, then press Record.");
  showPrompt();
  await showClips();
  element("speaker").focus();
}));

addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, select, textarea, button, a, audio, summary");
  if (element("record").hidden || isTyping || event.ctrlKey || event.altKey || event.metaKey) return;
  const action = { " ": taking || going ? stop : start, k: keep, r: again, p: () => element("player").play() }[event.key.toLowerCase()];
  if (!action) return;
  event.preventDefault();
  if (event.key.toLowerCase() === "k" && element("keep").hidden) return;
  action();
});
addEventListener("beforeunload", (event) => {
  if (unsaved.size) event.preventDefault();
});

takeFiles({ word: () => element("file-word").value, speaker, done: async () => show(await ask("/api/state")) });
