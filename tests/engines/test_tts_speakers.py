"""A real voice given three speakers: the way Piper's own are conditioned, with made-up weights."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

from wyoming_common.errors import BadRequest
from wyoming_common.models import ModelStore
from wyoming_tts.config import TtsSettings
from wyoming_tts.engine import Phrase
from wyoming_tts.engines.piper.engine import DEFAULT_VOICE, PiperEngine, PiperVoice
from wyoming_tts.engines.piper.split import split_voice
from wyoming_tts.engines.piper.split_cache import run
from wyoming_tts.phonemes.espeak import EspeakPhonemizer
from wyoming_tts.synthesis.voices import voice_file

Samples = np.ndarray[tuple[int], np.dtype[np.int_]]

SPEAKERS = {"anna": 0, "bert": 1, "carl": 2}
TEXT = "The kettle has boiled, and the garage door is still open."


def add_speakers(source: Path, target: Path) -> None:
    """Add a speaker's bias where flow and decoder begin, as VITS adds its embedding."""
    model = onnx.load(str(source))
    rename(model, "sid", "phoneme_embedding")  # this voice's exporter took the name for weights
    parts = split_voice(source)
    flow = next(node for node in parts.flow.graph.node if node.op_type == "Conv")
    decoder = next(node for node in parts.decoder.graph.node if node.op_type == "Conv")
    for node, size in ((flow, 0.2), (decoder, 0.3)):
        condition(model, node.output[0], size)
    model.graph.input.append(helper.make_tensor_value_info("sid", onnx.TensorProto.INT64, [1]))
    onnx.save(model, str(target))


def rename(model: Any, old: str, new: str) -> None:
    for entry in model.graph.initializer:
        entry.name = new if entry.name == old else entry.name
    for node in model.graph.node:
        node.input[:] = [new if name == old else name for name in node.input]


def condition(model: Any, tensor: str, size: float) -> None:
    graph = model.graph
    place, node = next((i, n) for i, n in enumerate(graph.node) if tensor in n.output)
    weights = next(entry for entry in graph.initializer if entry.name == node.input[1])
    table = np.random.default_rng(place).standard_normal((3, weights.dims[0])) * size
    table[0] = 0
    for name, array in (
        (f"{tensor}_speakers", table.astype(np.float32)[:, :, None]),
        (f"{tensor}_axis", np.array([0], np.int64)),
    ):
        graph.initializer.append(numpy_helper.from_array(array, name))
    node.output[0] = f"{tensor}_plain"
    gather = helper.make_node("Gather", [f"{tensor}_speakers", "sid"], [f"{tensor}_one"], axis=0)
    add = helper.make_node("Add", [f"{tensor}_plain", f"{tensor}_one"], [tensor])
    graph.node.insert(place + 1, gather)
    graph.node.insert(place + 2, add)


@pytest.fixture(scope="module")
def folder(store: ModelStore, tmp_path_factory: pytest.TempPathFactory) -> Path:

    source = store.ensure(DEFAULT_VOICE) / f"{DEFAULT_VOICE}.onnx"
    folder = tmp_path_factory.mktemp("speakers")
    add_speakers(source, folder / "trio.onnx")
    settings = json.loads(source.with_name(f"{source.name}.json").read_text())
    settings |= {"num_speakers": 3, "speaker_id_map": SPEAKERS}
    (folder / "trio.onnx.json").write_text(json.dumps(settings))
    return folder


@pytest.mark.parametrize("name", SPEAKERS)
def test_windows_of_each_speaker_sound_as_the_whole(folder: Path, name: str) -> None:
    file = voice_file(folder)
    voice = PiperVoice(file, TtsSettings(zeroconf="off"), EspeakPhonemizer())
    session = onnxruntime.InferenceSession(str(file.model), providers=["CPUExecutionProvider"])
    inputs = voice._inputs(voice._ids(TEXT)[0], file.speaker(name), (0.0, 1.0, 0.0))

    pieces = list(voice._speak(inputs))

    windowed = np.concatenate(pieces)
    whole = run(session, inputs).reshape(-1)[-len(windowed) :]
    assert len(pieces) > 1
    assert 10 * np.log10(np.square(whole).sum() / np.square(windowed - whole).sum()) > 80


def test_a_speaker_is_chosen_by_name_or_number_and_an_unknown_one_is_named(folder: Path) -> None:
    settings = TtsSettings(zeroconf="off", voice=str(folder), noise=0, noise_w=0)
    engine = PiperEngine(settings)

    def said(speaker: str | None) -> Samples:
        pcm = b"".join(engine.synthesize(Phrase(TEXT, "trio", speaker)))
        return np.frombuffer(pcm, np.int16).astype(int)

    def alike(one: Samples, other: Samples) -> bool:
        # Windows are cut by the clock, which rounds the last bits differently.
        return one.shape == other.shape and bool(np.abs(one - other).max() < 8)

    assert {v.name: v.speakers for v in engine.voices()}["trio"] == tuple(SPEAKERS)
    bert = said("bert")
    assert alike(bert, said("1"))
    assert not alike(bert, said("carl"))
    assert alike(said(None), said("anna"))
    with pytest.raises(BadRequest, match="anna, bert, carl"):
        said("dora")
