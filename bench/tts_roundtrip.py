#!/usr/bin/env python3
"""Are the words understood? Sentences with names, numbers and units, read back by Whisper.

    bench/tts_roundtrip.py --voice FOLDER --whisper FOLDER

Stock Piper and our service's speech say the same 40 sentences with the same voice; faster-whisper
writes down what it hears; both are held against the sentence, numbers compared as words. Each
sentence is said twice, for the voice varies.
"""

import argparse
import re
import statistics
from collections.abc import Callable
from pathlib import Path

import numpy as np
import piper
import soxr
from faster_whisper import WhisperModel
from numpy.typing import NDArray

from wyoming_tts.config import TtsSettings
from wyoming_tts.engines.piper import PiperEngine
from wyoming_tts.script import PlainScript
from wyoming_tts.speech import Speech
from wyoming_tts.text.spoken import spoken

SENTENCES = """
The kitchen lights are set to 40%.
It is 21.5°C in the bedroom.
Your alarm is set for 6:45 AM.
The train to Boston leaves at 14:20 from platform 3.
Dr. Miller will see you on March 3rd at 9:30.
I added 2 kg of flour and 500 g of butter to your list.
The washing machine will be done in 1 hr 15 min.
Emma called from 555-0134 at 7 p.m.
The bill from Greenfield Energy is $84.20.
Outside it is -4°C with 80% humidity.
The battery of the front door lock is at 15%.
Turn left after 300 m, then drive 12 km on the main road.
The solar panels made 18 kWh today.
Your package from Amsterdam arrives on Nov 27.
There are 3 new messages from Michael and 1 from Sarah.
The speed limit here is 50 km/h.
Jupiter has 95 known moons.
The house was built in 1936.
I set a timer for 12 minutes and 30 seconds.
The vacuum cleaned 42 m² in the living room.
Olivia finished 2nd in the race, and Daniel came 11th.
The water heater uses 2,400 W.
The next bus, number 17, comes in 8 minutes.
The film starts at 20:15 and lasts 2 hours.
London is 5,570 km from New York.
Your flight lands at 11:05 on Friday, December 12th.
The recipe needs 1/2 cup of sugar and 3/4 cup of milk.
The garage door has been open for 25 minutes.
It will rain from 3 to 5 p.m. in Hamburg.
The internet speed is 250 Mbps.
Grandma's birthday is on 14 June.
The freezer is at -18°C.
A ticket to the museum costs €12.50.
Mr. Anderson lives at 48 Oak St.
The marathon is 42.195 km long.
Your heart rate was 128 beats per minute.
The meeting with Charlotte moved to 10:00.
The air pressure is 1013 hPa.
In 1969, people walked on the moon for the 1st time.
The car needs 5.2 l of fuel per 100 km.
""".strip().splitlines()

Say = Callable[[str], tuple[NDArray[np.int16], int]]


def stock(folder: Path) -> Say:
    voice = piper.PiperVoice.load(str(next(folder.glob("*.onnx"))))

    def say(text: str) -> tuple[NDArray[np.int16], int]:
        chunks = [chunk.audio_int16_array for chunk in voice.synthesize(text)]
        return np.concatenate(chunks), int(voice.config.sample_rate)

    return say


def ours(folder: Path) -> Say:
    settings = TtsSettings(zeroconf="off", voice=str(folder), cache=0)
    speech = Speech(PiperEngine(settings), settings).load()

    def say(text: str) -> tuple[NDArray[np.int16], int]:
        choice = speech.choose(None)
        script = PlainScript(settings.first_clause)
        pcm = b""
        for passage in (*script.feed(text), *script.finish()):
            pcm += b"".join(speech.speak(passage, choice))
        return np.frombuffer(pcm, np.int16), speech.rate(choice)

    return say


def words(text: str) -> list[str]:
    """Numbers and units as words, so that "3 kg" and "three kilograms" are the same."""
    said = spoken(text, "en_US").lower().replace("-", " ").replace("'", "")
    said = re.sub(r"(?<=\b[a-z])\.", "", said)
    return re.findall(r"[a-z]+", said)


def edits(expected: list[str], got: list[str]) -> int:
    """Levenshtein's distance in words."""
    row = list(range(len(got) + 1))
    for place, word in enumerate(expected, 1):
        above, row[0] = row[0], place
        for column, other in enumerate(got, 1):
            above, row[column] = (
                row[column],
                min(row[column] + 1, row[column - 1] + 1, above + (word != other)),
            )
    return row[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voice", type=Path, required=True)
    parser.add_argument("--whisper", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    whisper = WhisperModel(str(arguments.whisper), compute_type="int8")
    for name, say in (("stock Piper", stock(arguments.voice)), ("parley", ours(arguments.voice))):
        wrong, total, levels = 0, 0, []
        for text in SENTENCES * arguments.rounds:
            audio, rate = say(text)
            levels.append(float(np.sqrt(np.mean(np.square(audio / 32768.0)))))
            heard = soxr.resample(audio.astype(np.float32) / 32768, rate, 16_000)
            segments, _ = whisper.transcribe(heard, language="en", beam_size=1)
            got = " ".join(segment.text for segment in segments)
            mistakes = edits(words(text), words(got))
            wrong += mistakes
            total += len(words(text))
            if mistakes and arguments.verbose:
                print(f"{mistakes} {text!r} -> {got!r}")
        level = 20 * np.log10(statistics.fmean(levels))
        print(f"{name}: WER {100 * wrong / total:.1f} %, {total} words, level {level:.1f} dBFS")


if __name__ == "__main__":
    main()
