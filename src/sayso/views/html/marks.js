(() => {
  const told = document.getElementById("tested");
  if (!told) return;
  const { columns, folder, labels, speakers, counts, flows, rows } = JSON.parse(told.textContent);
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
  const clips = (count) => `${count.toLocaleString("en")} ${count === 1 ? "clip" : "clips"}`;
  const nameOf = (row) => row[PATH] + (row[START] === null ? "" : ` from ${row[START]} s`);
  const keyOf = (clip, start) => `${start ?? ""} ${clip}`;
  const placeOf = new Map(rows.map((row, place) => [keyOf(folder + row[PATH], row[START]), place]));

  // What each mark is, as plain values; `start_seconds` is null where the clip is a whole recording.
  const told_marks = () => [...marks].map(([place, value]) => {
    const [mark, label] = value.startsWith("relabel:") ? ["relabel", labels[Number(value.slice(8))]] : ["exclude", ""];
    return { clip: folder + rows[place][PATH], start_seconds: rows[place][START], mark, label, part: "test" };
  });
  const cell = (value) => {
    const text = String(value ?? "");
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const table = () => [columns, ...told_marks().map((mark) => columns.map((name) => mark[name]))]
    .map((line) => `${line.map(cell).join(",")}\n`).join("");

  const show = (said) => {
    const out = [...marks.values()].filter((value) => value === "exclude").length;
    bar.hidden = !marks.size && !said;
    const parts = [out && `${out} left out`, marks.size - out && `${marks.size - out} under another word`].filter(Boolean);
    state.textContent = said ?? (marks.size ? `${clips(marks.size)} marked: ${parts.join(", ")}` : "");
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
    if (inStudio) parent.postMessage({ sayso: "mark", marks: told_marks() }, "*");
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
  for (const card of document.querySelectorAll(".mistakes li[data-clip]")) {
    const place = Number(card.dataset.clip);
    cards.set(place, card);
    card.append(make("p", { class: "mark" }, selector(place)));
  }

  const listed = (said, heard, figure) => {
    const own = rows.flatMap((row, place) => (row[SAID] === said && row[HEARD] === heard ? [place] : []));
    const all = counts[said][heard];
    const few = own.length < all ? `; here are the ${own.length.toLocaleString("en")} that it was least sure of` : "";
    panel.querySelector("h3").textContent = `Said ${labels[said]}, heard as ${labels[heard]}`;
    panel.querySelector("p").textContent = `${clips(all)}${few}.`;
    panel.querySelector("ol").replaceChildren(...own.map((place) => {
      const row = rows[place], sound = cards.get(place)?.querySelector("audio");
      const who = row[SPEAKER] === null ? "" : `${speakers[row[SPEAKER]]} · `;
      const item = make("li", {}, make("span", {}, `${who}${nameOf(row)} `, make("span", { class: "muted" }, `${(100 * row[SHARE]).toFixed(1)} %`)));
      if (sound) item.append(make("audio", { controls: "", preload: "none", "aria-label": nameOf(row), src: sound.src }));
      item.append(selector(place));
      return item;
    }));
    figure.after(panel);
    panel.hidden = false;
    panel.focus({ preventScroll: true });
    panel.scrollIntoView({ block: "nearest" });
  };

  // One stop of the Tab key for all parts of a picture; the arrows go from part to part.
  const pressable = (figure, parts) => {
    const svg = figure.querySelector("svg");
    svg.setAttribute("role", "group");
    parts.forEach(({ element, said, heard }, index) => {
      element.setAttribute("role", "button");
      element.setAttribute("tabindex", index ? "-1" : "0");
      element.setAttribute("aria-label", `Said ${labels[said]}, heard as ${labels[heard]}: ${clips(counts[said][heard])}`);
      element.classList.add("part");
      const press = () => {
        for (const part of parts) part.element.setAttribute("tabindex", part.element === element ? "0" : "-1");
        listed(said, heard, figure);
      };
      element.addEventListener("click", press);
      element.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
        if (event.key === "Enter" || event.key === " ") press();
        else if (step) {
          const upright = event.key === "ArrowUp" || event.key === "ArrowDown";
          let next = index + step;
          if (upright) while (parts[next] && parts[next].heard !== heard) next += step;
          if (!parts[next]) return;
          element.setAttribute("tabindex", "-1");
          parts[next].element.setAttribute("tabindex", "0");
          parts[next].element.focus();
        } else return;
        event.preventDefault();
      });
    });
  };
  const grid = document.getElementById("confusionmatrix-cells");
  if (grid) {
    const { x, y, width, height } = grid.getBBox();
    const parts = counts.flatMap((line, said) => line.flatMap((count, heard) => {
      if (!count) return [];
      const element = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      const [wide, high] = [width / labels.length, height / labels.length];
      for (const [key, value] of Object.entries({ x: x + heard * wide, y: y + said * high, width: wide, height: high })) element.setAttribute(key, value);
      return [{ element, said, heard }];
    }));
    grid.ownerSVGElement.append(...parts.map((part) => part.element));
    pressable(grid.closest("figure"), parts);
  }
  const bands = ["right", "wrong"].map((kind) => document.getElementById(`alluvial-${kind}`));
  if (bands[0] || bands[1]) {
    const drawn = bands.map((group) => [...(group?.querySelectorAll("path, use") ?? [])]);
    const pairs = [flows.filter(([said, heard]) => said === heard), flows.filter(([said, heard]) => said !== heard)];
    if (drawn.every((paths, kind) => paths.length === pairs[kind].length)) {
      const parts = drawn.flatMap((paths, kind) => paths.map((element, index) => ({ element, said: pairs[kind][index][0], heard: pairs[kind][index][1] })));
      pressable((bands[0] ?? bands[1]).closest("figure"), parts);
    }
  }
  document.getElementById("press").hidden = false;

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
})();
