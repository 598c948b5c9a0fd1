// The browser as microphone and speaker: raw PCM both ways over a WebSocket.

import { plain } from "./view.js";

const HEARD = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
// The server's network may be slower than speech; what is said then is dropped, not delayed.
const MOST_WAITING = 64000;
const QUIET = 200;

export class Talk {
  #button; #state; #level; #socket = null; #context = null; #stream = null; #speaks = false; #quiet = 0;

  constructor(button, state, level) {
    this.#button = button;
    this.#state = state;
    this.#level = level;
    button.addEventListener("click", () => (this.#context ? this.end() : this.#begin()));
  }

  end(reason = "Ended; the microphone is off.") {
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#socket?.close();
    this.#context?.close().catch(() => {});
    this.#socket = this.#context = this.#stream = null;
    this.#level.value = 0;
    this.#button.textContent = "Talk";
    this.#button.setAttribute("aria-pressed", "false");
    if (this.#state.textContent !== reason) this.#say(reason);
  }

  #say(text) {
    this.#state.textContent = text;
  }

  #begin() {
    if (!navigator.mediaDevices || !window.AudioWorkletNode) {
      this.#say("Browsers let a page hear you only over https, or on the machine itself (localhost).");
      return;
    }
    const context = this.#context = new AudioContext({ latencyHint: "interactive" });
    this.#button.textContent = "Stop";
    this.#button.setAttribute("aria-pressed", "true");
    this.#say("Starting");
    const url = new URL(`api/talk?rate=${context.sampleRate}`, document.baseURI);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = this.#socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    let mouth = null;
    socket.onmessage = async ({ data }) => {
      if (typeof data !== "string") {
        const samples = new Int16Array(data);
        mouth?.port.postMessage(samples);
        this.#follow(samples);
        return;
      }
      const news = JSON.parse(data);
      if (news.event === "failed") this.end(`It does not work: ${plain(news.reason, 200)}`);
      if (news.event !== "ready") return;
      try {
        mouth = await this.#open(context, socket);
        if (this.#context === context) this.#say("Listening: ask something. Speak into the reply to stop it.");
      } catch (err) {
        if (this.#context === context) this.end(`The microphone cannot be used: ${plain(err.message, 120)}`);
      }
    };
    socket.onclose = () => {
      if (this.#context === context) this.end("The connection is lost; the microphone is off.");
    };
  }

  async #open(context, socket) {
    await context.audioWorklet.addModule(new URL("worklet.js", document.baseURI));
    const stream = await navigator.mediaDevices.getUserMedia({ audio: HEARD });
    if (this.#context !== context) {
      stream.getTracks().forEach((track) => track.stop());
      throw new Error("stopped");
    }
    this.#stream = stream;
    const ear = new AudioWorkletNode(context, "ear", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
    ear.port.onmessage = ({ data }) => {
      this.#level.value = Math.sqrt(data.reduce((sum, sample) => sum + sample * sample, 0) / data.length) / 6000;
      if (socket.readyState === WebSocket.OPEN && socket.bufferedAmount < MOST_WAITING) socket.send(data.buffer);
    };
    context.createMediaStreamSource(stream).connect(ear);
    const mouth = new AudioWorkletNode(context, "mouth", { numberOfInputs: 0, outputChannelCount: [1] });
    mouth.connect(context.destination);
    await context.resume();
    return mouth;
  }

  #follow(samples) {
    if (!this.#stream) return;
    this.#quiet = samples.some((sample) => Math.abs(sample) > QUIET) ? 0 : this.#quiet + samples.length / this.#context.sampleRate;
    const speaks = this.#quiet < 1;
    if (speaks === this.#speaks) return;
    this.#speaks = speaks;
    this.#say(speaks ? "Speaking: talk into it to stop it." : "Listening: ask something.");
  }
}
