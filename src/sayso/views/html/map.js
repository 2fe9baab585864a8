// The map of the clips: a point for each, coloured as is asked, heard under the pointer or the focus, listed when chosen.
(() => {
  const box = document.getElementById("map");
  if (!box) return;
  const { facts, SPEAKER, SAID, HEARD, make, nameOf, whoSaid, soundOf, entry, list } = clipsOfPage;
  const { labels, speakers, rows, faults, map: { points, doubted, neighbours } } = facts;
  const SIZE = 100, NEAR = 4, MOST_GROUPS = 32;
  const COLOURS = ["#0f84cf", "#d9601a", "#12906b", "#c2559d", "#8a6fd1", "#a07c12", "#c0504d", "#6b7f8c"];
  const SHAPES = ["M1 0A1 1 0 1 1-1 0A1 1 0 1 1 1 0Z", "M-.9-.9H.9V.9H-.9Z", "M0-1.2L1.15.85H-1.15Z", "M0-1.3L1.15 0 0 1.3-1.15 0Z"];
  const form = box.querySelector("form"), said = box.querySelector("output"), legend = box.querySelector("ul"), figure = box.querySelector("figure");
  const doubtOf = new Map(doubted.map(([place, word, count]) => [place, [word, count]]));

  // What a clip may be coloured by; each gives a name to a clip, or nothing.
  const ways = {
    word: (place) => labels[rows[place][SAID]],
    speaker: (place) => (rows[place][SPEAKER] === null ? "not known" : speakers[rows[place][SPEAKER]]),
    answer: (place) => (rows[place][HEARD] === rows[place][SAID] ? "right" : "wrong"),
    fault: (place) => faults[place] ?? "no fault found",
  };
  const titles = { word: "word", speaker: "speaker", answer: "right and wrong", fault: "fault found" };
  const has = { word: true, speaker: speakers.length > 0, answer: rows[0].length > HEARD, fault: Boolean(faults) };
  const by = form.elements.by;
  by.append(...Object.keys(ways).filter((way) => has[way]).map((way) => make("option", { value: way }, titles[way])));

  const told = (place) => {
    const row = rows[place], heard = has.answer ? `, heard as ${labels[row[HEARD]]}` : "";
    const doubt = doubtOf.get(place);
    return `said ${labels[row[SAID]]}${heard}${doubt ? `; ${doubt[1]} of ${neighbours} neighbours say ${labels[doubt[0]]}` : ""}`;
  };

  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [key, value] of Object.entries({ viewBox: `-3 -3 ${SIZE + 6} ${SIZE + 6}`, role: "group", "aria-label": "Map of the clips" })) svg.setAttribute(key, value);
  const drawn = points.map(([place, x, y]) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", "path");
    element.setAttribute("transform", `translate(${x * SIZE} ${y * SIZE})`);
    element.setAttribute("role", "button");
    element.setAttribute("tabindex", "-1");
    element.setAttribute("aria-label", `${whoSaid(place)}${nameOf(rows[place])}: ${told(place)}`);
    if (doubtOf.has(place)) element.classList.add("doubted");
    svg.append(element);
    return { element, place, x: x * SIZE, y: y * SIZE };
  });
  // Those that lie among another word's are drawn last, and so on top.
  svg.append(...drawn.filter(({ place }) => doubtOf.has(place)).map(({ element }) => element));
  figure.append(svg);
  let current = drawn.find(({ place }) => doubtOf.has(place)) ?? drawn[0];
  current.element.setAttribute("tabindex", "0");

  const only = new Set();
  const paint = () => {
    const nameFor = ways[by.value], counts = new Map();
    for (const { place } of drawn) counts.set(nameFor(place), (counts.get(nameFor(place)) ?? 0) + 1);
    const groups = [...counts.keys()].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
    // Of hundreds of speakers those with the most clips have a sign of their own.
    const own = groups.length > MOST_GROUPS ? new Set([...counts].sort((a, b) => b[1] - a[1]).slice(0, MOST_GROUPS - 1).map(([name]) => name)) : counts;
    const shown = groups.filter((name) => own.has(name));
    const sign = new Map(shown.map((name, index) => [name, [COLOURS[index % COLOURS.length], SHAPES[Math.floor(index / COLOURS.length) % SHAPES.length]]]));
    const rest = ["#6b7f8c", SHAPES[3]];
    for (const { element, place } of drawn) {
      const [colour, shape] = sign.get(nameFor(place)) ?? rest;
      element.setAttribute("d", shape);
      element.setAttribute("fill", colour);
      element.classList.toggle("faint", only.size > 0 && !only.has(sign.has(nameFor(place)) ? nameFor(place) : "others"));
    }
    const entries = [...sign, ...(shown.length < groups.length ? [["others", rest]] : [])];
    legend.replaceChildren(...entries.map(([name, [colour, shape]]) => {
      const key = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      key.setAttribute("viewBox", "-1.4 -1.4 2.8 2.8");
      key.setAttribute("aria-hidden", "true");
      key.innerHTML = `<path d="${shape}" fill="${colour}"/>`;
      const button = make("button", { type: "button", "aria-pressed": String(only.has(name)) }, key, name);
      button.addEventListener("click", () => {
        if (!only.delete(name)) only.add(name);
        const place = entries.findIndex(([other]) => other === name);
        paint();
        legend.querySelectorAll("button")[place].focus();
      });
      return make("li", {}, button);
    }));
  };
  by.addEventListener("change", () => { only.clear(); paint(); });

  const player = new Audio();
  const play = (place) => {
    if (!form.elements.play.checked || !soundOf(place)) return;
    player.src = soundOf(place);
    player.play().catch((error) => {
      if (error.name === "NotAllowedError") said.textContent += ". Press a point once: browsers play no sound before";
    });
  };
  const point = (to, { focus = false } = {}) => {
    if (to === current && current.element.classList.contains("here")) return;
    for (const { element } of [current, to]) {
      element.classList.toggle("here", element === to.element);
      element.setAttribute("tabindex", element === to.element ? "0" : "-1");
    }
    current = to;
    said.textContent = `${whoSaid(to.place)}${nameOf(rows[to.place])}: ${told(to.place)}`;
    if (focus) to.element.focus({ preventScroll: true });
    play(to.place);
  };
  const choose = (at) => list(labels[rows[at.place][SAID]], `One clip of the map: ${told(at.place)}.`, [entry(at.place, "")], box.querySelector(".map"));

  // The nearest point is meant, so that fingers need not be pointed.
  const nearest = (event) => {
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const away = (one) => Math.hypot(one.x - x, one.y - y);
    const best = drawn.reduce((a, b) => (away(b) < away(a) ? b : a));
    return away(best) <= NEAR ? best : undefined;
  };
  svg.addEventListener("pointermove", (event) => {
    const at = event.pointerType === "mouse" && nearest(event);
    if (at) point(at);
  });
  svg.addEventListener("click", (event) => {
    const at = nearest(event);
    if (!at) return;
    current.element.classList.remove("here"); // to be heard again
    point(at);
    choose(at);
  });
  svg.addEventListener("focusin", (event) => {
    const at = drawn.find(({ element }) => element === event.target);
    if (at) point(at);
  });
  svg.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === "Enter" || event.key === " ") choose(current);
    else if (way) {
      // Straight on rather than aside.
      const cost = ({ x, y }) => {
        const along = (x - current.x) * way[0] + (y - current.y) * way[1];
        const aside = Math.abs((x - current.x) * way[1]) + Math.abs((y - current.y) * way[0]);
        return along > 0 ? along + 2 * aside : Infinity;
      };
      const next = drawn.reduce((a, b) => (cost(b) < cost(a) ? b : a));
      if (cost(next) < Infinity) point(next, { focus: true });
    } else return;
    event.preventDefault();
  });

  document.getElementById("doubted")?.replaceChildren(...doubted.map(([place]) => entry(place, told(place))));
  paint();
  box.hidden = false;
})();
