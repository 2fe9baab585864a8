/**
 * Keeps the files of one exported page, so that it opens without a network. `sayso export --web` writes VERSION and FILES (the
 * SHA-256 of each) above this: a new export is another service worker, which keeps its files apart from those of the old one,
 * all of them or none. Nothing old is shown while the server is there: each visit asks it for the version first.
 */

const { VERSION, FILES } = self;
const KEPT = `sayso ${registration.scope} `;
const OWN = KEPT + VERSION;
const ASK_MS = 3000;

async function fetchChecked(name) {
  // What the browser has is asked for again only where the server has another: nothing is loaded twice at the first visit.
  for (const cache of ["no-cache", "reload"]) {
    const response = await fetch(new URL(name, registration.scope), { cache });
    const content = await response.arrayBuffer();
    const headers = { "content-type": response.headers.get("content-type") ?? "" };
    // Not the response itself: where a host has led elsewhere, as from index.html to its folder, it opens no page.
    if (response.ok && FILES[name].includes(await hash(content))) return new Response(content, { headers });
  }
  throw new Error(`${name} is not the file of this export`);
}

async function hash(content) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function keepAll() {
  const names = Object.keys(FILES);
  const responses = await Promise.all(names.map(fetchChecked));
  const cache = await caches.open(OWN);
  await Promise.all(names.map((name, place) => cache.put(new URL(name, registration.scope), responses[place])));
  await self.skipWaiting();
}

async function dropOld() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(KEPT) && name !== OWN).map((name) => caches.delete(name)));
  await clients.claim();
}

/** Whether the server has another export by now, or no such page; a server that cannot be reached has not. */
async function isReplaced() {
  try {
    const response = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(ASK_MS) });
    return response.status < 500 && !(response.ok && (await response.text()).includes(VERSION));
  } catch {
    return false;
  }
}

/** Ask the server itself: browsers, and servers that go by a file's date, take an old file for the new one. */
function fetchNow(request) {
  if (request.mode !== "navigate") return fetch(request, { cache: "reload" });
  return fetch(request.url, { cache: "reload", credentials: "same-origin", redirect: "manual" });
}

async function answer(request, name) {
  // Without its cache, everything comes from the server, until the new worker has its own.
  if (request.mode === "navigate" && (await isReplaced())) await caches.delete(OWN);
  const kept = (await caches.has(OWN)) && (await (await caches.open(OWN)).match(new URL(name, registration.scope)));
  return kept || fetchNow(request);
}

self.addEventListener("install", (event) => event.waitUntil(keepAll()));
self.addEventListener("activate", (event) => event.waitUntil(dropOld()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  address.search = address.hash = "";
  if (request.method !== "GET" || !address.href.startsWith(registration.scope)) return;
  const name = decodeURI(address.href.slice(registration.scope.length)) || "index.html";
  if (name in FILES) event.respondWith(answer(request, name));
});
