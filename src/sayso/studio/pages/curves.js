// Loss and accuracy by epoch, drawn anew at every look.

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [320, 160, 34, 8, 20, 22];
const SVG = "http://www.w3.org/2000/svg";

function draw(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function panel(rows, key, { title, highest }) {
  const last = Math.max(2, ...rows.map((row) => row.epoch));
  const x = (epoch) => LEFT + ((WIDTH - LEFT - RIGHT) * (epoch - 1)) / (last - 1);
  const y = (value) => HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * Math.min(1, value / highest);
  const svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title} by epoch; the last figures stand below` });
  svg.append(draw("text", { x: LEFT, y: 12 }, title));
  for (const value of [0, highest]) {
    svg.append(draw("line", { class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }));
    svg.append(draw("text", { x: LEFT - 4, y: y(value) + 4, "text-anchor": "end" }, Number(value.toPrecision(2))));
  }
  svg.append(draw("text", { x: WIDTH - RIGHT, y: HEIGHT - 6, "text-anchor": "end" }, `epoch ${last}`));
  for (const set of ["train", "validation"]) {
    const own = rows.filter((row) => row.set === set && row[key] !== null);
    if (!own.length) continue;
    const points = own.map((row) => `${x(row.epoch).toFixed(1)},${y(row[key]).toFixed(1)}`);
    // A line of one point is none.
    if (points.length === 1) points.push(`${(x(own[0].epoch) + 3).toFixed(1)},${points[0].split(",")[1]}`);
    svg.append(draw("polyline", { class: set, points: points.join(" ") }));
  }
  return svg;
}

export function drawCurves(place, rows) {
  const loss = Math.max(0.1, ...rows.map((row) => row.loss ?? 0));
  place.replaceChildren(
    panel(rows, "loss", { title: "loss (dashed: validation)", highest: loss }),
    panel(rows, "accuracy", { title: "accuracy (dashed: validation)", highest: 1 }),
  );
}
