// Voices of the household: five sentences make a profile. A recording is dropped when its voice is known.

import { hear } from "./ear.js";
import { el, plain } from "./view.js";

const byId = (id) => document.getElementById(id);
const IDLE_MS = 5000;
const MOST_SECONDS = 10;
const MOST_BYTES = 1_000_000;

async function ask(path, query = {}, body = undefined) {
  const response = await fetch(`api/voices/${path}?${new URLSearchParams(query)}`, { method: "POST", body });
  const answer = await response.json().catch(() => ({ problem: `status ${response.status}` }));
  if (!response.ok) throw new Error(answer.problem);
  return answer;
}

export class Voices {
  #sentences = []; #samples = []; #ear = null; #done = null; #last = "";

  constructor() {
    byId("voice-form").addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#done) this.#done();
      else this.#do(() => this.#record());
    });
    byId("voice-again").addEventListener("click", () => this.#begin());
    this.#poll();
  }

  end() {
    this.#ear?.stop();
    this.#ear = null;
  }

  #say(text, bad = false) {
    byId("voice-news").textContent = plain(text, 400);
    byId("voice-news").className = bad ? "bad" : "";
  }

  async #do(action) {
    try {
      await action();
      await this.#refresh();
    } catch (err) {
      this.#say(err.message, true);
    } finally {
      this.#draw();
    }
  }

  #begin() {
    this.#samples = [];
    this.#say("");
    this.#draw();
  }

  #draw() {
    const next = this.#samples.length;
    byId("voice-sentence").textContent = `${next + 1} of ${this.#sentences.length}: ${this.#sentences[next] ?? ""}`;
    byId("voice-record").textContent = this.#done ? "Done" : "Read it aloud";
    byId("voice-again").hidden = !next;
    byId("voice-name").disabled = next > 0 || this.#done !== null;
  }

  async #record() {
    const blocks = [];
    let heard = 0;
    this.#say("Listening");
    this.#ear = await hear((block) => {
      blocks.push(block);
      heard += block.length;
      if (this.#done) this.#say(`Listening: ${Math.floor(heard / this.#ear.rate)} s`);
    });
    const rate = this.#ear.rate;
    const late = setTimeout(() => this.#done?.(), 1000 * Math.min(MOST_SECONDS, MOST_BYTES / (2 * rate)));
    await new Promise((done) => {
      this.#done = done;
      this.#draw();
    });
    clearTimeout(late);
    this.#done = null;
    this.end();
    const { voice } = await ask("sample", { rate }, new Blob(blocks));
    this.#samples.push(voice);
    this.#say(`${this.#samples.length} of ${this.#sentences.length} recorded.`);
    if (this.#samples.length === this.#sentences.length) await this.#enrol();
  }

  async #enrol() {
    const samples = this.#samples;
    this.#samples = [];
    const { name } = await ask("enrol", {}, JSON.stringify({ name: byId("voice-name").value, samples }));
    this.#say(`Parley knows the voice of ${name}. No recording was kept.`);
    byId("voice-name").value = "";
  }

  async #poll() {
    if (!document.hidden && !this.#done) {
      try {
        await this.#refresh();
      } catch { /* the page's banner says that the server does not answer */ }
    }
    setTimeout(() => this.#poll(), IDLE_MS);
  }

  async #refresh() {
    const response = await fetch("api/voices", { cache: "no-store" });
    byId("voices").hidden = !response.ok;
    if (!response.ok) return;
    const text = await response.text();
    if (text === this.#last) return;
    this.#last = text;
    const { voices, sentences } = JSON.parse(text);
    this.#sentences = sentences;
    byId("voice-list").replaceChildren(...voices.map((voice) => this.#voice(voice)));
    this.#draw();
  }

  #voice(voice) {
    const name = plain(voice.name, 60);
    const forget = el("button", { type: "button", "aria-label": `Delete the voice of ${name}` }, "Delete");
    forget.addEventListener("click", () => this.#do(() => ask("delete", { name: voice.name })));
    return el("li", { class: "card", "data-voice": voice.name },
      el("h3", {}, name),
      el("p", {}, `${voice.samples} sentences, ${voice.learned} turns learned since ${plain(voice.made, 10)}`),
      forget);
  }
}
