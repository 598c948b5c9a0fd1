"""Files that are whole, and whose content kills the library or fails at the first request."""

import shutil
import struct
import subprocess
import sys
from pathlib import Path

import onnx

from wyoming_common.models import ModelStore


def loaded(kind: str, folder: Path) -> tuple[int, str]:
    """Load and ask a model in a process of its own; 3 means that it told what is wrong."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.models", "--ask", kind, str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def test_a_gguf_file_that_kills_llama_cpp_is_one_line(store: ModelStore, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(store.ensure("smollm2-135m-instruct"), tmp_path / "model"))
    (file,) = folder.glob("*.gguf")
    content = bytearray(file.read_bytes())
    # The length of one of its tokens: the next one begins elsewhere, and the tables disagree.
    content[2535] ^= 1
    file.write_bytes(content)

    status, said = loaded("llm", folder)

    assert status == 3
    assert "is corrupt" in said.splitlines()[-1]


def test_a_vocabulary_that_is_cut_is_noticed_when_the_model_loads(
    store: ModelStore, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(store.ensure("tiny.en"), tmp_path / "model"))
    vocabulary = folder / "vocabulary.txt"
    vocabulary.write_bytes(vocabulary.read_bytes()[:1000])

    status, said = loaded("stt", folder)

    assert status == 3
    assert f"cannot load {folder}" in said.splitlines()[-1]


def test_a_gguf_file_whose_template_never_ends_is_one_line(
    store: ModelStore, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(store.ensure("smollm2-135m-instruct"), tmp_path / "model"))
    (file,) = folder.glob("*.gguf")
    content = bytearray(file.read_bytes())
    key = b"tokenizer.chat_template"
    text = content.index(key) + len(key) + 4 + 8  # behind the value's type and length
    (size,) = struct.unpack_from("<Q", content, text - 8)
    endless = b"{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    content[text : text + size] = endless.ljust(size)
    file.write_bytes(content)

    status, said = loaded("llm", folder)

    assert status == 3
    assert "takes too much time" in said.splitlines()[-1]


def test_a_voice_whose_weights_fail_only_when_it_speaks_is_one_line(
    store: ModelStore, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(store.ensure("en_US-joe-medium"), tmp_path / "voice"))
    (file,) = folder.glob("*.onnx")
    voice = onnx.load(str(file))
    for weights in voice.graph.initializer:
        # NaN weights make the model look up invalid indices.
        if weights.name.startswith("dp.") and weights.data_type == onnx.TensorProto.FLOAT:
            weights.raw_data = b"\xff" * len(weights.raw_data)
    onnx.save(voice, str(file))

    status, said = loaded("tts", folder)

    assert status == 3
    assert said.splitlines()[-1].startswith(str(file))


def test_parts_of_a_voice_that_were_half_written_are_made_again(
    store: ModelStore, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(store.ensure("en_US-joe-medium"), tmp_path / "voice"))
    assert loaded("tts", folder)[0] == 0
    (part,) = folder.glob("*.parts/encoder.onnx")
    content = part.read_bytes()
    half = len(content) // 2
    part.write_bytes(content[:half] + bytes(len(content) - half))

    status, said = loaded("tts", folder)

    assert status == 0, said
    assert part.read_bytes() == content
