// "That was wrong": the last seconds heard become a clip for the training alone, once a person has said what it was.
import { ask, clipUrl, counted, element, guarded, make, tell } from "./api.js";
import { wavFile } from "/web/clip.js";

const MOST_SHOWN = 20;
const NONE = "none of these words";

export class Wrong {
  label = "That was wrong";
  pending = null; // the form that is not answered yet; it outlasts a visit to another step

  /** Take the words and people there are now, and which run answers. */
  prepare(state, run) {
    this.state = state;
    this.run = run;
    element("speakers").replaceChildren(...state.speakers.map((each) => make("option", { value: each.speaker })));
  }

  /** Show the form for what was cut out of the last seconds. */
  show(clips, recent) {
    if (this.pending) {
      this.say("Answer this one first: keep it, or drop it.");
      return this.pending;
    }
    const urls = clips.map((clip) => URL.createObjectURL(wavFile(clip.samples, recent.sampleRate)));
    const which = select(clips.map(({ heard }) => (heard ? `“${heard.word}”, at ${heard.end.toFixed(1)} s` : "a word that was not detected")));
    const player = make("audio", { controls: true, src: urls[0], "aria-label": "What was heard" });
    which.addEventListener("change", () => (player.src = urls[which.selectedIndex]));
    const words = this.state.words.map((each) => each.word);
    const said = select(["choose", ...words, NONE]);
    said.required = true;
    said.options[0].value = "";
    const speaker = make("input", { list: "speakers", required: true, maxlength: 100, autocomplete: "off" });
    speaker.value = sessionStorage.getItem("speaker") ?? "";
    this.told = make("p", { role: "status" });
    this.submit = make("button", { type: "submit", class: "primary" }, "Keep it for the training");
    const drop = make("button", { type: "button", class: "quiet" }, "Drop it");
    const form = make(
      "form",
      { class: "wrong", "aria-label": "What was wrong" },
      make("h3", {}, "What was wrong?"),
      make("div", { class: "controls" }, make("label", {}, "what was heard", which), player),
      make("div", { class: "controls" }, make("label", {}, "it really was", said), make("label", {}, "who spoke", speaker)),
      make("p", { class: "buttons" }, this.submit, drop),
      this.told,
    );
    const close = () => {
      form.remove();
      urls.forEach((url) => URL.revokeObjectURL(url));
      this.pending = null;
    };
    drop.addEventListener("click", close);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const { heard, samples } = clips[which.selectedIndex];
      const word = said.selectedIndex === said.options.length - 1 ? null : words[said.selectedIndex - 1];
      const clip = { word, speaker: speaker.value, heard: { ...plain(heard), run: this.run }, ...microphone(recent) };
      this.keep(clip, samples, close);
    });
    this.pending = form;
    return form;
  }

  say(text) {
    this.told.textContent = text;
  }

  async keep(clip, samples, close) {
    this.say("Saving.");
    this.submit.disabled = true;
    try {
      await ask("/api/corrections", { method: "POST", clip, body: samples });
    } catch (error) {
      this.say(`Not saved: ${error.message} It stays here.`);
      return;
    } finally {
      this.submit.disabled = false;
    }
    sessionStorage.setItem("speaker", clip.speaker.trim().replace(/\s+/g, " "));
    close();
    await showCorrections().catch(tell);
  }
}

function select(texts) {
  return make("select", {}, ...texts.map((text) => make("option", {}, text)));
}

function plain(heard) {
  return heard ? { word: heard.word, score: heard.score, end: heard.end } : {};
}

function microphone({ sampleRate, label, settings }) {
  return { sample_rate: sampleRate, settings: { ...settings, label, contextRate: sampleRate } };
}

export async function showCorrections() {
  const { clips } = await ask("/api/corrections");
  element("corrections-box").hidden = !clips.length;
  const items = clips.slice(0, MOST_SHOWN).map((clip) => {
    const word = clip.word ?? NONE;
    const listen = make("button", { type: "button", "aria-label": `Play ${word}` }, "Play");
    listen.addEventListener("click", () => new Audio(clipUrl(clip.path)).play().catch(tell));
    const remove = make("button", { type: "button", "aria-label": `Remove this clip of ${word}` }, "Remove");
    remove.addEventListener("click", guarded(async () => {
      await ask(clipUrl(clip.path), { method: "DELETE" });
      await showCorrections();
    }));
    const remarks = clip.remarks.length ? [make("span", { class: "remark" }, clip.remarks.join(" "))] : [];
    return make("li", {}, make("span", {}, `${word}, ${clip.speaker}`), ...remarks, listen, remove);
  });
  const rest = clips.length - items.length;
  element("corrections").replaceChildren(...items, ...(rest ? [make("li", {}, `and ${counted(rest, "more clip")}`)] : []));
}
