"""Cutting graphs that are small but have the shape of a voice; runs ONNX Runtime."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.parser
import onnxruntime
import pytest

from wyoming_tts.engines.piper.optimize import widened
from wyoming_tts.engines.piper.split import UnsplittableVoice, split_voice
from wyoming_tts.engines.piper.split_cache import Inputs, load_split, run
from wyoming_tts.engines.piper.vocoder import WindowedVocoder

HOP = 4
CHANNELS = 8

_ENCODER = """
    ids = Cast <to = 1> (input)
    three = Constant <value = int64[1] {1}> ()
    column = Unsqueeze (ids, three)
    mean = Conv <kernel_shape = [1]> (column, w_embed)
    noise = RandomNormalLike <seed = 1.0> (mean)
    zero = Constant <value = int64[1] {0}> ()
    scale = Gather (scales, zero)
    scaled = Mul (noise, scale)
    noisy = Add (mean, scaled)
"""
_FLOW = """
    flowed = Conv <kernel_shape = [5], pads = [2, 2]> (noisy, w_flow)
    bent = Tanh (flowed)
"""
_DECODER = """
    pre = Conv <kernel_shape = [7], pads = [3, 3]> (bent, w_pre)
    {conditioned}
    active = LeakyRelu (mixed)
    up = ConvTranspose <kernel_shape = [4], strides = [4]> (active, w_up)
    post = Conv <kernel_shape = [7], pads = [3, 3]> (up, w_post)
    output = Tanh (post)
"""
_ONE_SPEAKER = "mixed = Identity (pre)"
_SPEAKERS = """
    speaker = Gather <axis = 0> (w_speaker, sid)
    two = Constant <value = int64[1] {2}> ()
    tall = Unsqueeze (speaker, two)
    mixed = Add (pre, tall)
"""
_SHAPES = {
    "w_embed": (CHANNELS, 1, 1),
    "w_flow": (CHANNELS, CHANNELS, 5),
    "w_pre": (CHANNELS, CHANNELS, 7),
    "w_up": (CHANNELS, CHANNELS, HOP),
    "w_post": (1, CHANNELS, 7),
    "w_speaker": (3, CHANNELS),
}


def write_voice(path: Path, *, speakers: bool = False, body: str = "") -> Path:
    sid = ", int64[1] sid" if speakers else ""
    body = body or _ENCODER + _FLOW + _DECODER.replace(
        "{conditioned}", _SPEAKERS if speakers else _ONE_SPEAKER
    )
    model = onnx.parser.parse_model(
        f"""<ir_version: 8, opset_import: ["": 15]>
        voice (int64[1, T] input, int64[1] input_lengths, float[3] scales{sid})
            => (float[1, 1, S] output) {{ {body} }}"""
    )
    rng = np.random.default_rng(0)
    for name, shape in _SHAPES.items():
        if name in body:
            weights = rng.standard_normal(shape).astype(np.float32) / 4
            model.graph.initializer.append(onnx.numpy_helper.from_array(weights, name))
    onnx.save(model, str(path))
    return path


def inputs(frames: int = 300, *, sid: int | None = None) -> Inputs:
    ids = np.random.default_rng(1).integers(-3, 3, (1, frames))
    given: Inputs = {
        "input": ids,
        "input_lengths": np.array([frames]),
        "scales": np.array([0, 1, 0], np.float32),
    }
    return given if sid is None else {**given, "sid": np.array([sid])}


def open_session(model: str | bytes) -> Any:
    return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("sid", [None, 2])
def test_a_cut_voice_sounds_as_the_whole(tmp_path: Path, sid: int | None) -> None:
    path = write_voice(tmp_path / "v.onnx", speakers=sid is not None)

    voice = load_split(path, inputs(sid=sid), open_session, open_session)

    assert voice is not None
    given = inputs(500, sid=sid)
    vocoder = WindowedVocoder(
        lambda tensors: run(voice.flow, dict(tensors)),
        lambda tensors: run(voice.decoder, dict(tensors)),
        voice.facts.latent,
        HOP,
        22_050,
        voice.facts.halo,
        lambda tensors: run(voice.half_decoder, dict(tensors)),
    )
    between = list(voice.facts.between)
    encoded = dict(zip(between, voice.encoder.run(between, given), strict=True))
    windowed = np.concatenate(list(vocoder(encoded, given)))
    whole = run(open_session(str(path)), given).reshape(-1)
    np.testing.assert_allclose(windowed, whole, atol=1e-4)


@pytest.mark.parametrize("sid", [None, 2])
def test_a_decoder_of_images_sounds_as_that_of_sequences(tmp_path: Path, sid: int | None) -> None:
    parts = split_voice(write_voice(tmp_path / "v.onnx", speakers=sid is not None))
    latents = np.random.default_rng(2).standard_normal((1, CHANNELS, 33)).astype(np.float32)
    given: Inputs = {parts.latent: latents} | ({} if sid is None else {"sid": np.array([sid])})

    wide = widened(parts.decoder, [parts.latent])

    assert "ConvTranspose" not in {node.op_type for node in wide.graph.node}
    plain, images = (
        run(open_session(part.SerializeToString()), given) for part in (parts.decoder, wide)
    )
    np.testing.assert_allclose(images, plain, atol=1e-5)


def test_the_parts_are_kept_and_used_again(tmp_path: Path) -> None:
    path = write_voice(tmp_path / "v.onnx")
    load_split(path, inputs(), open_session)
    kept = tmp_path / "v.onnx.parts" / "encoder.onnx"
    before = kept.stat().st_mtime_ns

    voice = load_split(path, {}, open_session, open_session)

    assert voice is not None
    assert voice.half_decoder is not None
    assert kept.stat().st_mtime_ns == before
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["v.onnx", "v.onnx.parts"]


@pytest.mark.parametrize("damage", ["voice", "parts", "facts"])
def test_the_parts_are_made_again_when_they_no_longer_fit(tmp_path: Path, damage: str) -> None:
    path = write_voice(tmp_path / "v.onnx")
    load_split(path, inputs(), open_session)
    kept = tmp_path / "v.onnx.parts"
    match damage:
        case "voice":
            os.utime(path, ns=(1, 1))
        case "parts":
            (kept / "flow.onnx").write_bytes(b"cut short")
        case _:
            (kept / "parts.json").write_text("{}")

    voice = load_split(path, inputs(), open_session)

    assert voice is not None
    assert voice.facts.mtime_ns == path.stat().st_mtime_ns
    assert (kept / "flow.onnx").stat().st_size > 100


@pytest.mark.parametrize(
    "body",
    [
        "output = Cast <to = 1> (input)",
        _ENCODER + "output = Tanh (noisy)",
        _ENCODER.replace("RandomNormalLike <seed = 1.0>", "Tanh")
        + _FLOW
        + _DECODER.replace("{conditioned}", _ONE_SPEAKER),
    ],
)
def test_a_graph_of_another_shape_is_left_whole(tmp_path: Path, body: str) -> None:
    path = write_voice(tmp_path / "v.onnx", body=body)

    with pytest.raises(UnsplittableVoice):
        split_voice(path)
    assert load_split(path, inputs(), open_session) is None
