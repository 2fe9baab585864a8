// Pages that Sayso wrote, inside this one: a report, an audit, a comparison. Clips marked there are written at once.
import { ask, counted } from "./api.js";

export class Framed {
  // The frame has an origin of its own, and asks nothing of the server: what it may do, it is given here.
  constructor(frame, link) {
    this.frame = frame;
    this.link = link;
    this.last = Promise.resolve();
    frame.addEventListener("load", () => {
      if (this.page) this.page.isLoaded = true;
    });
    addEventListener("message", ({ source, data }) => {
      if (source !== frame.contentWindow || !this.page) return;
      const { page } = this;
      if (data?.sayso === "report") this.last = this.last.then(() => this.takeMarks(page));
      else if (data?.sayso === "mark") {
        page.waiting += 1;
        this.last = this.last.then(() => this.takeMarks(page, data.marks));
      }
    });
  }

  /** Show a page: its address, the address of its marks, what it is called, and what a clip of it is "of". */
  show({ address, marks, title, link, of }) {
    if (this.frame.closest("section").hidden) return; // the person has gone on meanwhile
    this.frame.hidden = this.link.parentElement.hidden = false;
    this.frame.title = title;
    this.link.href = address;
    this.link.textContent = link;
    if (this.page?.address === address) return;
    this.page = { address, marks, of, waiting: 0 };
    // As a new entry of the history each page would be one more step back.
    this.frame.contentWindow.location.replace(address);
  }

  /** Forget a page that has not come yet: what is loaded while nobody sees it measures its pictures as nothing. */
  leave() {
    if (!this.page || this.page.isLoaded) return;
    this.page = undefined;
    this.frame.contentWindow.location.replace("about:blank");
  }

  hide() {
    this.leave();
    this.frame.hidden = this.link.parentElement.hidden = true;
  }

  answer(page, told) {
    if (page === this.page) this.frame.contentWindow.postMessage({ sayso: "marks", ...told }, "*");
  }

  async takeMarks(page, marks) {
    if (marks) page.waiting -= 1;
    const said = (kept) => (kept.length ? `${counted(kept.length, "clip")} ${page.of} marked, in marks.csv; the next training takes it.` : "");
    try {
      const sent = marks && { method: "PUT", json: { marks, before: page.told } };
      page.told = (await ask(page.marks, sent)).marks;
      // What was chosen meanwhile stands in the page already, and comes next.
      this.answer(page, { marks: page.waiting ? undefined : page.told, told: said(page.told) });
    } catch (error) {
      const kept = await ask(page.marks).then((is) => is.marks, () => undefined);
      page.told = kept ?? page.told;
      this.answer(page, { marks: kept, told: `Not marked: ${error.message}` });
    }
  }
}
