// Long work that the studio does in a process of its own, which this page only follows: its state, its bar, its words.
import { ask, element, guarded, tell } from "./api.js";

const EVERY_MS = 700;

export class Job {
  /** `name` begins the ids of the elements that show it: -cancel, -now, -state, -task, -lines. */
  constructor(name, { states, shown = () => {}, over = () => {} }) {
    this.part = (id) => element(`${name}-${id}`);
    this.states = states;
    this.shown = shown;
    this.over = over;
    this.part("cancel").addEventListener("click", guarded(async () => {
      await ask(this.path, { method: "DELETE" });
      await this.look();
    }));
  }

  /** Follow what is asked at this path from now on. */
  async follow(path) {
    if (path !== this.path) this.before = undefined;
    this.path = path;
    await this.look();
  }

  leave() {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  async look() {
    this.leave();
    const { path } = this;
    const now = await ask(path);
    if (path !== this.path) return;
    const isOn = now.state === "running" || now.state === "stopping";
    this.show(now, isOn);
    const wasOn = this.before && this.before !== now.state;
    this.before = now.state;
    if (isOn) this.timer = setTimeout(() => this.look().catch(tell), EVERY_MS);
    else if (wasOn) await this.over(now);
  }

  show(now, isOn) {
    this.part("start").disabled = isOn;
    this.part("cancel").hidden = now.state !== "running";
    this.part("now").hidden = now.state === "none";
    const status = this.part("state");
    if (now.state === "none") {
      status.replaceChildren();
      return;
    }
    const text = `${this.states[now.state]}${now.why ? ` ${now.why}` : ""}`;
    const isNew = status.firstChild?.textContent !== text;
    if (isNew) status.replaceChildren(text);
    this.part("task").hidden = !now.task;
    if (now.task) {
      this.part("task").querySelector("span").textContent = now.task.title;
      const bar = this.part("task").querySelector("progress");
      [bar.max, bar.value] = [now.task.total, now.task.done];
    }
    this.part("lines").hidden = !now.lines.length;
    this.part("lines").textContent = now.lines.join("\n");
    this.shown(now, isNew ? status : null);
  }
}
