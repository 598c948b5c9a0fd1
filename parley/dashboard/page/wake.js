// Own wake words: training with its progress, recordings, a microphone test and corrections.

import { hear } from "./ear.js";
import { el, plain } from "./view.js";

const byId = (id) => document.getElementById(id);
const IDLE_MS = 5000;
const BUSY_MS = 700;
const SAMPLE_SECONDS = 2.5;

async function post(path, body) {
  const response = await fetch(`api/wake-words/${path}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const answer = await response.json().catch(() => ({ problem: `status ${response.status}` }));
  if (!response.ok) throw new Error(answer.problem);
  return answer;
}

export class WakeWords {
  #test = null; #last = "";

  constructor() {
    byId("wake-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#do(() => this.#train());
    });
    byId("wake-check").addEventListener("click", () => this.#do(() => this.#check()));
    byId("wake-record").addEventListener("click", () => this.#do(() => this.#record()));
    byId("wake-stop").addEventListener("click", () => this.#do(() => post("stop", {})));
    this.#poll();
  }

  end() {
    this.#test?.stop();
    this.#test = null;
  }

  #asked() {
    return { phrase: byId("wake-phrase").value, language: byId("wake-language").value.trim() || "en" };
  }

  #say(text, bad = false) {
    byId("wake-news").textContent = plain(text, 400);
    byId("wake-news").className = bad ? "bad" : "";
  }

  async #do(action) {
    try {
      await action();
      await this.#refresh();
    } catch (err) {
      this.#say(err.message, true);
    }
  }

  async #check() {
    this.#say("Checking");
    const found = await post("check", this.#asked());
    const better = found.better.length ? ` Likely better: ${found.better.join(", ")}.` : "";
    this.#say(found.good ? `“${found.phrase}” is a good wake word.` : found.remarks.join(" ") + better);
  }

  async #train() {
    await post("train", this.#asked());
    this.#say("");
  }

  async #record() {
    const blocks = [];
    this.#say("Say the phrase now.");
    const button = byId("wake-record");
    button.disabled = true;
    try {
      const ear = await hear((block) => blocks.push(block));
      await new Promise((done) => setTimeout(done, SAMPLE_SECONDS * 1000));
      ear.stop();
      const query = new URLSearchParams({ phrase: this.#asked().phrase, rate: ear.rate });
      const response = await fetch(`api/wake-words/sample?${query}`, { method: "POST", body: new Blob(blocks) });
      const answer = await response.json().catch(() => ({ problem: "Enter the phrase first." }));
      if (!response.ok) throw new Error(answer.problem);
      this.#say(`${answer.recordings} recorded; three are enough to help. Train to use them.`);
    } finally {
      button.disabled = false;
    }
  }

  async #poll() {
    let busy = false;
    if (!document.hidden) {
      try {
        busy = await this.#refresh();
      } catch { /* the page's banner says that the server does not answer */ }
    }
    setTimeout(() => this.#poll(), busy ? BUSY_MS : IDLE_MS);
  }

  async #refresh() {
    const response = await fetch("api/wake-words", { cache: "no-store" });
    byId("wake").hidden = !response.ok;
    if (!response.ok) return false;
    const text = await response.text();
    const { words, heard, training } = JSON.parse(text);
    if (text !== this.#last) {
      this.#last = text;
      this.#drawTraining(training);
      byId("wake-words").replaceChildren(...words.map((word) => this.#word(word)));
      byId("wake-heard").replaceChildren(...heard.map((wake) => this.#wake(wake)));
      byId("wake-heard-title").hidden = !heard.length;
    }
    return training.running;
  }

  #drawTraining(training) {
    byId("wake-training").hidden = !training.running;
    byId("wake-progress").value = training.part ?? 0;
    byId("wake-stage").textContent = training.running ? `“${plain(training.phrase, 60)}”: ${plain(training.stage, 40)}, ${Math.round(100 * (training.part ?? 0))} %` : "";
    byId("wake-train").disabled = training.running;
    if (training.problem) this.#say(training.problem, true);
    else if (training.word && !training.running) this.#say(`“${training.phrase}” is trained. Use it: parley-satellite --wake ${training.word}`);
  }

  #word(word) {
    if (word.problem) return el("li", { class: "card" }, el("h3", {}, plain(word.phrase, 60)), el("p", { class: "bad" }, plain(word.problem, 200)));
    const facts = word.facts ?? {};
    const test = el("button", { type: "button" }, "Test");
    const score = el("meter", { min: 0, max: 1, low: 0.5, value: 0, "aria-label": `Score of ${plain(word.phrase, 60)}` });
    const said = el("span", { role: "status" });
    test.addEventListener("click", () => this.#do(() => this.#listen(word, test, score, said)));
    const forget = el("button", { type: "button" }, "Remove");
    forget.addEventListener("click", () => this.#do(() => post("forget", { word: word.word })));
    return el("li", { class: "card", "data-word": word.word },
      el("h3", {}, plain(word.phrase, 60)),
      el("dl", {},
        el("dt", {}, "Heard, of voices held out"), el("dd", {}, `${Math.round(100 * (facts.recall ?? 0))} %`),
        el("dt", {}, "False accepts"), el("dd", {}, `${facts.false_accepts ?? 0} in ${facts.minutes_of_speech ?? 0} min`),
        el("dt", {}, "Recordings, right and wrong"), el("dd", {}, `${word.right}, ${word.wrong}`)),
      test, score, said, forget);
  }

  async #listen(word, button, score, said) {
    if (this.#test) {
      this.end();
      return;
    }
    const url = new URL("api/wake-words/listen", document.baseURI);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    let socket = null;
    const ear = await hear((block) => { if (socket?.readyState === WebSocket.OPEN) socket.send(block.buffer); });
    url.search = new URLSearchParams({ word: word.word, rate: ear.rate });
    socket = new WebSocket(url);
    let heard = 0;
    socket.onmessage = ({ data }) => {
      const news = JSON.parse(data);
      if (news.problem) this.#say(news.problem, true);
      score.value = Math.max(news.score ?? 0, score.value * 0.9);
      if (news.heard) said.textContent = `heard ${++heard} ${heard === 1 ? "time" : "times"}`;
    };
    const stop = () => {
      ear.stop();
      socket.close();
      button.textContent = "Test";
    };
    socket.onclose = () => {
      ear.stop();
      button.textContent = "Test";
      this.#test = null;
    };
    this.#test = { stop };
    button.textContent = "Stop the test";
    said.textContent = "Say it";
  }

  #wake(wake) {
    const minutes = Math.round(wake.ago_s / 60);
    const play = el("button", { type: "button" }, "Play");
    play.addEventListener("click", () => new Audio(`api/wake-words/heard/${encodeURIComponent(wake.name)}`).play().catch(() => {}));
    const choice = (text, right) => {
      const button = el("button", { type: "button" }, text);
      button.addEventListener("click", () => this.#do(() => post("judge", { name: wake.name, right })));
      return button;
    };
    return el("li", { "data-name": wake.name }, el("span", {}, `“${plain(wake.word.replaceAll("_", " "), 60)}”, ${minutes < 1 ? "just now" : `${minutes} min ago`}`), play, choice("Right", true), choice("Wrong", false));
  }
}
