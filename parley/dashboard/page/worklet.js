// The audio thread: what the microphone hears goes out in blocks, what comes in is played.

const BLOCK_SECONDS = 0.02;
// So much waits before the first sound, for a network that is not even.
const AHEAD_SECONDS = 0.06;
// More than this waiting is dropped: a browser that slept does not lag behind for ever.
const MOST_SECONDS = 0.5;

class Ear extends AudioWorkletProcessor {
  #block = new Int16Array(Math.round(sampleRate * BLOCK_SECONDS));
  #filled = 0;

  process([input]) {
    const samples = input[0];
    if (!samples) return true;
    for (const sample of samples) {
      this.#block[this.#filled++] = Math.max(-32768, Math.min(32767, Math.round(sample * 32767)));
      if (this.#filled === this.#block.length) {
        this.port.postMessage(this.#block.slice());
        this.#filled = 0;
      }
    }
    return true;
  }
}

class Mouth extends AudioWorkletProcessor {
  #blocks = []; #waiting = 0; #at = 0; #playing = false;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      this.#blocks.push(data);
      this.#waiting += data.length;
      while (this.#waiting > MOST_SECONDS * sampleRate) this.#drop();
    };
  }

  #drop() {
    this.#waiting -= this.#blocks[0].length - this.#at;
    this.#blocks.shift();
    this.#at = 0;
  }

  process(_, [output]) {
    const out = output[0];
    if (!this.#playing && this.#waiting >= AHEAD_SECONDS * sampleRate) this.#playing = true;
    if (!this.#playing) return true;
    for (let index = 0; index < out.length; index++) {
      if (!this.#blocks.length) {
        this.#playing = false;
        break;
      }
      out[index] = this.#blocks[0][this.#at++] / 32768;
      this.#waiting -= 1;
      if (this.#at === this.#blocks[0].length) {
        this.#blocks.shift();
        this.#at = 0;
      }
    }
    return true;
  }
}

registerProcessor("ear", Ear);
registerProcessor("mouth", Mouth);
