/** The page that `sayso export --web` writes. */

import { showTalk } from "./talk.js";

showTalk(document.querySelector("#talk"), { url: "./" });
