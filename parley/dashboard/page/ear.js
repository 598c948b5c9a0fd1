// The browser's microphone.

const HEARD = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 1 };

// The microphone in blocks of 16-bit samples until `stop` is called.
export async function hear(onBlock) {
  if (!navigator.mediaDevices || !window.AudioWorkletNode) throw new Error("Browsers let a page hear you only over https, or on the machine itself (localhost).");
  const context = new AudioContext();
  try {
    await context.audioWorklet.addModule(new URL("worklet.js", document.baseURI));
    const stream = await navigator.mediaDevices.getUserMedia({ audio: HEARD });
    const ear = new AudioWorkletNode(context, "ear", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
    ear.port.onmessage = ({ data }) => onBlock(data);
    context.createMediaStreamSource(stream).connect(ear);
    await context.resume();
    const stop = () => {
      stream.getTracks().forEach((track) => track.stop());
      context.close().catch(() => {});
    };
    return { rate: context.sampleRate, stop };
  } catch (err) {
    context.close().catch(() => {});
    throw err;
  }
}
