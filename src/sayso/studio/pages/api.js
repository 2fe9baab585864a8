// What the page asks of its server, and what both the steps share: every fault is one sentence, shown at the top.

export class Refused extends Error {}

export async function ask(path, { method = "GET", json, body, clip } = {}) {
  const headers = {};
  if (json !== undefined) headers["content-type"] = "application/json";
  if (clip !== undefined) headers["x-sayso-clip"] = encodeURIComponent(JSON.stringify(clip));
  let response;
  try {
    response = await fetch(path, { method, headers, body: json !== undefined ? JSON.stringify(json) : body });
  } catch {
    throw new Refused("The studio does not answer. Is it still running in the terminal?");
  }
  const isJson = (response.headers.get("content-type") ?? "").startsWith("application/json");
  if (response.ok) return isJson ? response.json() : response.text();
  const said = isJson ? (await response.json()).error : (await response.text()).trim();
  throw new Refused(said || `The studio refused it (${response.status}).`);
}

export const clipUrl = (path) => `/api/clips/${path.split("/").map(encodeURIComponent).join("/")}`;

export const element = (id) => document.getElementById(id);

export function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

export function tell(error) {
  const place = element("trouble");
  place.hidden = !error;
  place.textContent = error ? (error.message ?? String(error)) : "";
  if (error && !(error instanceof Refused)) console.error(error);
  if (error) place.scrollIntoView({ block: "nearest" });
}

export function guarded(action) {
  return async (...values) => {
    try {
      tell(null);
      return await action(...values);
    } catch (error) {
      tell(error);
      return undefined;
    }
  };
}

export const percent = (share) => (share === null || share === undefined ? "–" : `${(100 * share).toFixed(1)} %`);
export const counted = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
