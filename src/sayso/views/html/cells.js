// Cells of confusion matrices, and bands of an alluvial picture: pressed they list their clips.
(() => {
  const { facts, SAID, HEARD, SHARE, counted, entry, list } = clipsOfPage;
  const { labels, rows } = facts;
  // Of each model: the picture of its answers, and what each clip was heard as, with what probability.
  const answers = facts.answers ?? [{ ...facts, figure: "confusionmatrix", heard: rows.map((row) => row[HEARD]), shares: rows.map((row) => row[SHARE]) }];
  const listed = ({ counts, heard: words, shares, by = "" }, said, heard, figure) => {
    const own = rows.flatMap((row, place) => (row[SAID] === said && words[place] === heard ? [place] : []));
    const all = counts[said][heard];
    const few = own.length < all ? `; here are ${own.length.toLocaleString("en")}, first those that it was least sure of` : "";
    const entries = own.map((place) => entry(place, `${(100 * shares[place]).toFixed(1)}\u00a0%`));
    list(`Said ${labels[said]}, heard as ${labels[heard]}${by && ` by ${by}`}`, `${counted(all)}${few}.`, entries, figure);
  };

  // One stop of the Tab key for all parts of a picture; the arrows go from part to part.
  const pressable = (model, figure, parts) => {
    const svg = figure.querySelector("svg");
    svg.setAttribute("role", "group");
    parts.forEach(({ element, said, heard }, index) => {
      element.setAttribute("role", "button");
      element.setAttribute("tabindex", index ? "-1" : "0");
      element.setAttribute("aria-label", `Said ${labels[said]}, heard as ${labels[heard]}: ${counted(model.counts[said][heard])}`);
      element.classList.add("part");
      const press = () => {
        for (const part of parts) part.element.setAttribute("tabindex", part.element === element ? "0" : "-1");
        listed(model, said, heard, figure);
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
  for (const model of answers) {
    const grid = document.getElementById(`${model.figure}-cells`);
    if (!grid) continue;
    const { x, y, width, height } = grid.getBBox();
    const parts = model.counts.flatMap((line, said) => line.flatMap((count, heard) => {
      if (!count) return [];
      const element = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      const [wide, high] = [width / labels.length, height / labels.length];
      for (const [key, value] of Object.entries({ x: x + heard * wide, y: y + said * high, width: wide, height: high })) element.setAttribute(key, value);
      return [{ element, said, heard }];
    }));
    grid.ownerSVGElement.append(...parts.map((part) => part.element));
    pressable(model, grid.closest("figure"), parts);
  }
  const bands = ["right", "wrong"].map((kind) => document.getElementById(`alluvial-${kind}`));
  if (facts.flows && (bands[0] || bands[1])) {
    const drawn = bands.map((group) => [...(group?.querySelectorAll("path, use") ?? [])]);
    const pairs = [facts.flows.filter(([said, heard]) => said === heard), facts.flows.filter(([said, heard]) => said !== heard)];
    if (drawn.every((paths, kind) => paths.length === pairs[kind].length)) {
      const parts = drawn.flatMap((paths, kind) => paths.map((element, index) => ({ element, said: pairs[kind][index][0], heard: pairs[kind][index][1] })));
      pressable(answers[0], (bands[0] ?? bands[1]).closest("figure"), parts);
    }
  }
  const heardBy = (place) => answers.map(({ by, heard, shares }) => `${labels[heard[place]]} by ${by} (${(100 * shares[place]).toFixed(1)}\u00a0%)`);
  const told = (place) => `said ${labels[rows[place][SAID]]}, heard as ${heardBy(place).join(", ")}`;
  document.getElementById("missed")?.replaceChildren(...rows.slice(0, facts.missed).map((_, place) => entry(place, told(place))));
  document.getElementById("press").hidden = false;
})();
