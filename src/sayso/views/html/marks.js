// The clips of a page: listed, heard, and marked; `cells.js` and `map.js` say which of them are listed.
const clipsOfPage = (() => {
  const facts = JSON.parse(document.getElementById("clips").textContent);
  const { columns, folder, labels, speakers, part, rows, sounds = {} } = facts;
  const [PATH, START, SPEAKER, SAID, HEARD, SHARE] = [0, 1, 2, 3, 4, 5];
  const marks = new Map();
  const panel = document.getElementById("cell"), bar = document.getElementById("marks");
  const state = bar.querySelector("output"), download = bar.querySelector("button"), how = bar.querySelector(".how");
  let inStudio = false, isKept = true;

  const make = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const partOf = (place) => (Array.isArray(part) ? part[place] : part);
  const counted = (count) => `${count.toLocaleString("en")} ${count === 1 ? "clip" : "clips"}`;
  const nameOf = (row) => row[PATH] + (row[START] === null ? "" : ` from ${row[START]} s`);
  const keyOf = (clip, start) => `${start ?? ""} ${clip}`;
  const placeOf = new Map(rows.map((row, place) => [keyOf(folder + row[PATH], row[START]), place]));

  // What each mark is, as plain values; `start_seconds` is null where the clip is a whole recording.
  const marksNow = () => [...marks].map(([place, value]) => {
    const [mark, label] = value.startsWith("relabel:") ? ["relabel", labels[Number(value.slice(8))]] : ["exclude", ""];
    return { clip: folder + rows[place][PATH], start_seconds: rows[place][START], mark, label, part: partOf(place) };
  });
  const cell = (value) => {
    const text = String(value ?? "");
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const table = () => [columns, ...marksNow().map((mark) => columns.map((name) => mark[name]))]
    .map((line) => `${line.map(cell).join(",")}\n`).join("");

  const show = (said) => {
    const out = [...marks.values()].filter((value) => value === "exclude").length;
    bar.hidden = !marks.size && !said;
    const parts = [out && `${out} left out`, marks.size - out && `${marks.size - out} under another word`].filter(Boolean);
    state.textContent = said ?? (marks.size ? `${counted(marks.size)} marked: ${parts.join(", ")}` : "");
    download.hidden = how.hidden = inStudio || !marks.size;
    for (const select of document.querySelectorAll("select[data-clip]")) choose(select);
  };
  const choose = (select) => {
    const value = marks.get(Number(select.dataset.clip)) ?? "";
    select.value = value;
    if (select.value === value) return;
    // Marked for an earlier training: it is the clip's word by now.
    select.append(make("option", { value }, `it says ${labels[Number(value.slice(8))]}, marked before`));
    select.value = value;
  };
  const changed = (place, value) => {
    if (value) marks.set(place, value);
    else marks.delete(place);
    isKept = !marks.size;
    show(inStudio ? "Writing marks.csv ..." : undefined);
    if (inStudio) parent.postMessage({ sayso: "mark", marks: marksNow() }, "*");
  };
  const selector = (place) => {
    const row = rows[place];
    const select = make("select", { "data-clip": place, "aria-label": `Mark ${nameOf(row)}` });
    select.append(make("option", { value: "" }, "as it is"), make("option", { value: "exclude" }, "leave out"));
    labels.forEach((label, word) => word !== row[SAID] && select.append(make("option", { value: `relabel:${word}` }, `it says ${label}`)));
    choose(select);
    select.addEventListener("change", () => changed(place, select.value));
    return select;
  };

  const cards = new Map();
  for (const card of document.querySelectorAll("li[data-clip]")) {
    const place = Number(card.dataset.clip);
    cards.set(place, card);
    card.append(make("p", { class: "mark" }, selector(place)));
  }

  const soundOf = (place) => cards.get(place)?.querySelector("audio")?.src ?? sounds[place];
  const whoSaid = (place) => (rows[place][SPEAKER] === null ? "" : `${speakers[rows[place][SPEAKER]]} · `);
  // A clip as an entry of a list, with its sound where the page has it, and what is to become of it.
  const entry = (place, beside) => {
    const name = nameOf(rows[place]), sound = soundOf(place);
    const item = make("li", {}, make("span", {}, `${whoSaid(place)}${name} `, make("span", { class: "muted" }, beside)));
    if (sound) item.append(make("audio", { controls: "", preload: "none", "aria-label": name, src: sound }));
    item.append(selector(place));
    return item;
  };
  const list = (title, told, entries, figure) => {
    panel.querySelector("h3").textContent = title;
    panel.querySelector("p").textContent = told;
    panel.querySelector("ol").replaceChildren(...entries);
    figure.after(panel);
    panel.hidden = false;
    panel.focus({ preventScroll: true });
    panel.scrollIntoView({ block: "nearest" });
  };

  download.addEventListener("click", () => {
    const link = make("a", { download: "marks.csv", href: URL.createObjectURL(new Blob([table()], { type: "text/csv" })) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    isKept = true;
  });
  addEventListener("beforeunload", (event) => { if (!isKept && !inStudio) event.preventDefault(); });

  // In the studio's page marks are written at once: it says which there are, and takes those that are made.
  addEventListener("message", ({ source, data }) => {
    if (parent === window || source !== parent || data?.sayso !== "marks") return;
    inStudio = true;
    if (Array.isArray(data.marks)) {
      marks.clear();
      for (const { clip, start_seconds: start, mark, label } of data.marks) {
        const place = placeOf.get(keyOf(clip, start));
        const word = labels.indexOf(label);
        if (place !== undefined && (mark === "exclude" || word >= 0)) marks.set(place, mark === "relabel" ? `relabel:${word}` : "exclude");
      }
    }
    show(data.told);
  });
  if (parent !== window) parent.postMessage({ sayso: "report" }, "*");
  return { facts, PATH, START, SPEAKER, SAID, HEARD, SHARE, make, counted, nameOf, whoSaid, soundOf, entry, list };
})();
