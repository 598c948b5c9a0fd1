"""Files of a split voice beside it: made once, checked against the whole voice, measured."""

import json
import logging
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from wyoming_tts.engines.piper.optimize import widened
from wyoming_tts.engines.piper.split import Parts, UnsplittableVoice, split_voice
from wyoming_tts.engines.piper.vocoder import Floats, Halo

_LOGGER = logging.getLogger(__name__)

_PARTS = ("encoder", "flow", "decoder")
_FORMAT = 6
"""Increased when the files beside a voice change their meaning."""
_FAITHFUL_DB = 90.0
"""Signal to noise of windows against the whole; 16-bit sound has 98 dB at most."""
_FLOW_HALOS = (24, 32, 48, 64)
_DECODER_HALOS = (10, 12, 16, 24, 32, 48)
_PROBE = 24
"""Frames of the windows that are compared."""

Session = Any
"""An onnxruntime.InferenceSession."""
OpenSession = Callable[[str | bytes], Session]
Inputs = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class SplitFacts:
    """Measurements of a split voice."""

    format: int
    size: int
    """Bytes of the voice that was cut"""
    mtime_ns: int
    between: tuple[str, ...]
    """Tensors from encoder to flow"""
    latent: str
    """Tensor from flow to decoder"""
    flow_halo: int
    decoder_halo: int
    peak: float
    """Loudest sample of the probe, of 1"""
    durations: str = ""
    """Output of the encoder that holds the frames of each phoneme, "" without one"""

    @property
    def halo(self) -> Halo:
        return Halo(self.flow_halo, self.decoder_halo)


@dataclass(frozen=True, slots=True)
class SplitVoice:
    """Parts of a voice, loaded."""

    facts: SplitFacts
    encoder: Session
    flow: Session
    decoder: Session
    half_decoder: Session | None = None
    """The decoder once more, for half a window on half the cores"""


def load_split(
    model: Path, probe: Inputs, open_session: OpenSession, open_half: OpenSession | None = None
) -> SplitVoice | None:
    """Return the parts of the voice at `model`, cut now unless they are kept beside it.

    `probe` is what the voice takes, without noise, for the sentence to compare by. `open_half`
    opens the decoder for half a window, where there are cores for two. Returns None for a voice
    that cannot be cut or does not sound the same in windows.
    """
    folder = model.with_name(f"{model.name}.parts")
    try:
        return _load(folder, model, open_session, open_half)
    except (OSError, ValueError, KeyError, TypeError) as err:
        _LOGGER.debug("%s: %s", folder, err)
    try:
        parts, voice = _made(model, probe, open_session)
        half_decoder = open_half(parts.decoder.SerializeToString()) if open_half else None
    except Exception as err:  # noqa: BLE001 - onnx and onnxruntime raise errors of any kind
        _LOGGER.info("%s is spoken a sentence at a time: %s", model.name, err)
        return None
    _keep(folder, parts, voice.facts)
    return replace(voice, half_decoder=half_decoder)


def _made(model: Path, probe: Inputs, open_session: OpenSession) -> tuple[Parts, SplitVoice]:
    parts = split_voice(model)
    for make in (_wide_flow_and_decoder, _wide_decoder):
        try:
            faster = make(parts)
            return faster, _measure(model, faster, probe, open_session)
        except Exception as err:  # noqa: BLE001 - onnx and onnxruntime raise errors of any kind
            _LOGGER.info("%s: %s: %s", model.name, make.__name__, err)
    return parts, _measure(model, parts, probe, open_session)


def _wide_decoder(parts: Parts) -> Parts:
    return replace(parts, decoder=widened(parts.decoder, [parts.latent]))


def _wide_flow_and_decoder(parts: Parts) -> Parts:
    between = _between(parts)
    return replace(_wide_decoder(parts), flow=widened(parts.flow, between))


def _load(
    folder: Path, model: Path, open_session: OpenSession, open_half: OpenSession | None
) -> SplitVoice:
    raw = json.loads((folder / "parts.json").read_text(encoding="utf-8"))
    checksums = raw.pop("crc32")
    facts = SplitFacts(**{**raw, "between": tuple(raw["between"])})
    stat = model.stat()
    if (facts.format, facts.size, facts.mtime_ns) != (_FORMAT, stat.st_size, stat.st_mtime_ns):
        raise ValueError("the voice has changed since it was cut")
    if checksums != _checksums(folder):
        raise ValueError("the parts are damaged")
    try:
        encoder, flow, decoder = (open_session(str(folder / f"{part}.onnx")) for part in _PARTS)
        half_decoder = open_half(str(folder / "decoder.onnx")) if open_half else None
    except Exception as err:
        # onnxruntime raises errors of any kind; the parts are made again.
        raise ValueError(f"unusable: {err}") from err
    return SplitVoice(facts, encoder, flow, decoder, half_decoder)


def _checksums(folder: Path) -> list[int]:
    """Return checksums, by which half-written files are found after a power cut."""
    return [zlib.crc32((folder / f"{part}.onnx").read_bytes()) for part in _PARTS]


def _measure(model: Path, parts: Parts, probe: Inputs, open_session: OpenSession) -> SplitVoice:
    """Load the parts and find by trial how much they must see around a window."""
    stat = model.stat()
    encoder, flow, decoder = (
        open_session(part.SerializeToString())
        for part in (parts.encoder, parts.flow, parts.decoder)
    )
    between = _between(parts)
    encoded = dict(zip(between, encoder.run(list(between), probe), strict=True))
    inputs = {**encoded, **probe}
    frames = max(tensor.shape[-1] for tensor in encoded.values())
    if frames < 3 * _PROBE:
        raise UnsplittableVoice(f"the probe made only {frames} frames")

    def window(session: Session, tensors: Inputs, low: int, high: int) -> Floats:
        return run(session, {name: _frames(t, frames, low, high) for name, t in tensors.items()})

    latents = window(flow, inputs, 0, frames)
    audio = run(decoder, {**probe, parts.latent: latents}).reshape(-1)
    whole = open_session(str(model)).run(None, probe)[0].reshape(-1)
    if _snr_db(whole, audio) < _FAITHFUL_DB:
        raise UnsplittableVoice("its parts together do not sound as the whole")
    hop = len(audio) // frames
    middle = frames // 2
    flow_halo = _smallest_halo(
        _FLOW_HALOS,
        lambda low, high: window(flow, inputs, low, high),
        latents,
        (middle, middle + _PROBE),
        1,
    )
    decoder_halo = _smallest_halo(
        _DECODER_HALOS,
        lambda low, high: run(decoder, {**probe, parts.latent: latents[..., low:high]}),
        audio,
        (middle, middle + _PROBE),
        hop,
    )
    facts = SplitFacts(
        _FORMAT,
        stat.st_size,
        stat.st_mtime_ns,
        between,
        parts.latent,
        flow_halo,
        decoder_halo,
        float(np.abs(audio).max()),
        parts.durations if _counts(encoder, parts.durations, probe, frames) else "",
    )
    return SplitVoice(facts, encoder, flow, decoder)


def _between(parts: Parts) -> tuple[str, ...]:
    """Return the tensors from encoder to flow."""
    names = (entry.name for entry in parts.encoder.graph.output)
    return tuple(name for name in names if name != parts.durations)


def _counts(encoder: Session, durations: str, probe: Inputs, frames: int) -> bool:
    """Whether the output `durations` holds the frames of each phoneme of the probe."""
    if not durations:
        return False
    counted = encoder.run([durations], probe)[0]
    return counted.size == probe["input"].size and round(float(counted.sum())) == frames


def run(session: Session, inputs: Inputs, options: Any = None) -> Floats:
    """Run a graph on those of `inputs` that it takes and return its first output.

    `options` are onnxruntime.RunOptions.
    """
    taken = {entry.name for entry in session.get_inputs()}
    result: Floats = session.run(
        None, {name: tensor for name, tensor in inputs.items() if name in taken}, options
    )[0]
    return result


def _smallest_halo(
    halos: Sequence[int],
    window: Callable[[int, int], Floats],
    whole: Floats,
    span: tuple[int, int],
    hop: int,
) -> int:
    """Return the smallest halo with which a window sounds as the whole does there."""
    start, end = span
    total = whole.shape[-1] // hop
    expected = whole[..., start * hop : end * hop]
    for halo in halos:
        low, high = max(0, start - halo), min(total, end + halo)
        got = window(low, high).reshape(*whole.shape[:-1], -1)
        if _snr_db(expected, got[..., (start - low) * hop : (end - low) * hop]) >= _FAITHFUL_DB:
            return halo
    raise UnsplittableVoice("its windows do not sound as the whole")


def _frames(tensor: NDArray[Any], frames: int, low: int, high: int) -> NDArray[Any]:
    return tensor[..., low:high] if tensor.shape[-1:] == (frames,) else tensor


def _snr_db(expected: Floats, got: Floats) -> float:
    if expected.shape != got.shape:
        return -np.inf
    noise = float(np.square(expected - got, dtype=np.float64).sum())
    return float(10 * np.log10(np.square(expected, dtype=np.float64).sum() / max(noise, 1e-30)))


def _keep(folder: Path, parts: Parts, facts: SplitFacts) -> None:
    """Write the parts beside the voice; a folder that cannot be written is no failure."""
    made = ""
    try:
        made = tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent)
        for name in _PARTS:
            onnx.save(getattr(parts, name), str(Path(made) / f"{name}.onnx"))
        kept = asdict(facts) | {"crc32": _checksums(Path(made))}
        (Path(made) / "parts.json").write_text(json.dumps(kept), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(made, folder)  # noqa: PTH104 - of strings
    except OSError as err:
        _LOGGER.info("The parts of %s are made at each start: %s", folder.stem, err)
        shutil.rmtree(made, ignore_errors=True)
