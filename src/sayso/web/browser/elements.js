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

/** A number with three digits that count. */
export function rounded(number) {
  return Number(number.toPrecision(3)).toString();
}
