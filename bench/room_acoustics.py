"""Rooms with several microphones: impulse responses from a speaker to each.

Two kinds. `measured`: a recorded response, whose direct sound is scaled by the distance while its
reverberation stays, as in one room. `computed`: image sources in a room of random size. Some
microphones stand in the next room, behind an open door: reverberation alone, of both rooms, dull
and quieter.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Wave = NDArray[np.float32]
Random = np.random.Generator
Point = NDArray[np.float64]
"""[3] in metres."""

RATE = 16_000
_SOUND_METRES_A_SECOND = 343.0
_DIRECT_BEFORE, _DIRECT_AFTER = 16, 40
"""Samples around the peak of a response that are its direct sound."""
_MAX_RESPONSE_SECONDS = 0.6
_NEXT_ROOM_SHARE = 0.4
_MIN_RATIO = 1.4
"""Least ratio of the distances of two microphones in one room."""


@dataclass(frozen=True, slots=True)
class Place:
    """One microphone."""

    response: Wave
    direct: float
    """Level of the direct sound, 1 at a metre; 0 in the next room."""


def measured_places(random: Random, responses: Sequence[Wave], count: int) -> list[Place]:
    """Return places in the room of a recorded response, the nearest one first."""
    direct, tail = _split(responses[int(random.integers(len(responses)))])
    direct *= random.uniform(0.9, 1.6)  # distance in metres at which both are equally strong
    nearest = random.uniform(0.5, 2.5)
    places = [Place(direct / nearest + tail, 1 / nearest)]
    for _ in range(count - 1):
        if random.random() < _NEXT_ROOM_SHARE:
            _, other = _split(responses[int(random.integers(len(responses)))])
            both = convolve(tail[:4_000], other[:6_000])
            both *= 10 ** (-random.uniform(6, 18) / 20) / np.sqrt(np.sum(both**2))
            places.append(Place(_dull(both, random.uniform(1_500, 5_000)), 0.0))
        else:
            metres = nearest * random.uniform(_MIN_RATIO, 4)
            places.append(Place(direct / np.float32(metres) + tail, 1 / metres))
    return places


def computed_places(random: Random, count: int) -> list[Place]:
    """Return places in a room of random size and absorption, the nearest one first."""
    size = random.uniform((3, 3, 2.4), (7, 6, 3))
    decay = random.uniform(0.25, 0.8)
    while True:
        speaker = _point(random, size, 1.2, 1.75)
        points = [_point(random, size, 0.6, 1.8) for _ in range(count)]
        next_door = [False, *(random.random(count - 1) < _NEXT_ROOM_SHARE)]
        metres = [float(np.linalg.norm(point - speaker)) for point in points]
        others = [m for m, outside in zip(metres[1:], next_door[1:], strict=True) if not outside]
        if 0.5 < metres[0] < 2.6 and all(other > _MIN_RATIO * metres[0] for other in others):
            break
    door = np.array([size[0] - 0.3, size[1] / 2, 1.2])
    places = []
    for point, distance, outside in zip(points, metres, next_door, strict=True):
        if not outside:
            places.append(Place(_image_sources(random, size, speaker, point, decay), 1 / distance))
            continue
        to_door = _image_sources(random, size, speaker, door, decay)
        size_2, decay_2 = random.uniform((3, 3, 2.4), (6, 6, 2.6)), random.uniform(0.25, 0.8)
        door_2 = np.array([0.3, size_2[1] / 2, 1.2])
        behind = _image_sources(random, size_2, door_2, _point(random, size_2, 0.6, 1.8), decay_2)
        both = convolve(to_door, behind) * np.float32(random.uniform(0.1, 0.3))
        places.append(Place(_dull(both, random.uniform(1_500, 6_000)), 0.0))
    return places


def convolve(samples: Wave, response: Wave) -> Wave:
    """Return the whole convolution."""
    length = len(samples) + len(response) - 1
    points = 1 << (length - 1).bit_length()
    product = np.fft.rfft(samples, points) * np.fft.rfft(response, points)
    return np.fft.irfft(product, points)[:length].astype(np.float32)


def _split(response: Wave) -> tuple[Wave, Wave]:
    """Return the direct sound and the rest, each with an energy of 1."""
    peak = int(np.argmax(np.abs(response)))
    begin = max(0, peak - _DIRECT_BEFORE)
    direct = np.zeros_like(response)
    direct[begin : peak + _DIRECT_AFTER] = response[begin : peak + _DIRECT_AFTER]
    rest = response - direct
    direct, rest = direct[begin:].copy(), rest[begin:].copy()
    return direct / np.sqrt(np.sum(direct**2)), rest / np.sqrt(np.sum(rest**2))


def _point(random: Random, size: Point, low: float, high: float) -> Point:
    return random.uniform((0.4, 0.4, low), (size[0] - 0.4, size[1] - 0.4, high))


def _image_sources(
    random: Random, size: Point, source: Point, microphone: Point, decay: float
) -> Wave:
    """Return the response of a box whose reverberation takes `decay` seconds for 60 dB."""
    surface = 2 * (size[0] * size[1] + size[0] * size[2] + size[1] * size[2])
    absorbed = 1 - np.exp(-0.161 * np.prod(size) / (surface * decay))
    reflected = np.sqrt(1 - absorbed)
    seconds = min(decay * 0.9, _MAX_RESPONSE_SECONDS)
    counts = np.ceil(_SOUND_METRES_A_SECOND * seconds / (2 * size)).astype(int)
    response = np.zeros(int(seconds * RATE) + 2, np.float32)
    steps = [np.arange(-count, count + 1) for count in counts]
    for mirror in np.ndindex(2, 2, 2):
        offsets = [
            (1 - 2 * mirror[axis]) * source[axis] + 2 * steps[axis] * size[axis] - microphone[axis]
            for axis in range(3)
        ]
        bounces = [abs(steps[axis] - mirror[axis]) + abs(steps[axis]) for axis in range(3)]
        across, along, up = np.ix_(*offsets)
        metres = np.sqrt(across**2 + along**2 + up**2)
        first, second, third = np.ix_(*bounces)
        order = first + second + third
        # No wall is a mirror: what has met two of them comes with any sign, and a little off.
        at = metres / _SOUND_METRES_A_SECOND * RATE
        at = at + (order > 0) * random.normal(0, 2.5, metres.shape)
        inside = (at >= 0) & (at < seconds * RATE)
        strength = reflected ** order[inside] / np.maximum(metres[inside], 0.1)
        signs = random.choice((-1.0, 1.0), strength.shape)
        strength *= np.where(order[inside] > 1, signs, 1.0)
        np.add.at(response, at[inside].astype(int), strength)
    return response


def _dull(response: Wave, hertz: float) -> Wave:
    spectrum = np.fft.rfft(response)
    frequencies = np.fft.rfftfreq(len(response), 1 / RATE)
    filtered = spectrum / np.sqrt(1 + (frequencies / hertz) ** 4)
    return np.fft.irfft(filtered, len(response)).astype(np.float32)
