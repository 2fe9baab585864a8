/** Making elements, and writing numbers. */

/** Make an element with properties and children; `role` and ARIA names are attributes. */
export function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "role") element.setAttribute("role", value);
    else if (key.startsWith("aria")) element.setAttribute(`aria-${key.slice(4).toLowerCase()}`, value);
    else element[key] = value;
  }
  element.append(...children);
  return element;
}

/** The middle one of some numbers. */
export function median(numbers) {
  return [...numbers].sort((first, second) => first - second)[Math.floor(numbers.length / 2)];
}

/** A share as a percentage. */
export function percent(share) {
  return `${(100 * share).toFixed(share > 0.995 || share === 0 ? 0 : 1)}\u202f%`;
}

/** A number with so many digits that count. */
export function rounded(number, digits = 3) {
  return Number(number.toPrecision(digits)).toString();
}

/** "a, b or c"; of many the first few. */
export function either(names, most = 12) {
  if (names.length > most) return `${names.slice(0, most).join(", ")} or another of ${names.length} words`;
  return names.length > 1 ? `${names.slice(0, -1).join(", ")} or ${names.at(-1)}` : names[0];
}
