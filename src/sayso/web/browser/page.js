/** The page that `sayso export --web` writes. */

import { showTalk } from "./talk.js";

/** Have the browser keep this page for times without a network; it does so by https and on localhost. */
async function keepForOffline() {
  if (!navigator.serviceWorker) return;
  let worker;
  try {
    const text = await (await fetch("service-worker.js", { cache: "no-store" })).text();
    // Under an address of its own each export has a worker of its own, whatever caches and dates of files say.
    const [version] = /[0-9a-f]{64}/.exec(text);
    const registration = await navigator.serviceWorker.register(`service-worker.js?${version}`, { updateViaCache: "none" });
    worker = registration.installing ?? registration.waiting ?? registration.active;
  } catch {
    worker = navigator.serviceWorker.controller; // no network; or a private window, which forbids it
  }
  if (!worker) return;
  await new Promise((resolve) => {
    const look = () => worker.state === "activated" && resolve();
    worker.addEventListener("statechange", look);
    look();
  });
  document.querySelector("#offline").textContent = "It also opens without a network now.";
}

const recogniser = await showTalk(document.querySelector("#talk"), { url: "./" });
if (recogniser) await keepForOffline();
