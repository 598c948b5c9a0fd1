"""A language model without a model."""

import threading
from collections.abc import Iterator

from wyoming_common.errors import TooLarge, Unavailable
from wyoming_llm.engine import Delta, Prompt, Sampling, Usage


class FakeLlm:
    """Repeats the question word by word. "forever" never ends, "boom" is a bug, "gone" a server
    that went away, "huge" a prompt that does not fit. `script` replaces the next answers.
    """

    model = "fake"
    prompt_limit = 1000

    def __init__(self, script: list[str] | None = None) -> None:
        self.script = script or []
        self.prompts: list[Prompt] = []
        self.samplings: list[Sampling] = []
        self.read_prompts: list[Prompt] = []
        self.asked = threading.Event()
        self.closed = threading.Event()
        self.settled = threading.Event()

    def load(self) -> None:
        pass

    def count(self, text: str) -> int:
        return len(text.split())

    def reply(self, prompt: Prompt, sampling: Sampling) -> Iterator[Delta]:
        self.prompts.append(prompt)
        self.samplings.append(sampling)
        self.asked.set()
        question = prompt.messages[-1].content
        text = self.script.pop(0) if self.script else f"You said: {question}"
        words = question.lower().split()
        if "boom" in words:
            raise RuntimeError(question)
        if "gone" in words:
            raise Unavailable("the server went away")
        if "huge" in words:
            raise TooLarge("too many tokens")
        try:
            yield Delta()
            pieces = [piece + " " for piece in text.split(" ")]
            most = sampling.max_tokens or len(pieces)
            endless = "forever" in words
            count = 0
            while count < most and (endless or count < len(pieces)):
                yield Delta(text=pieces[count % len(pieces)])
                count += 1
            finish = "stop" if count == len(pieces) else "length"
            yield Delta(finish=finish, usage=Usage(len(prompt.messages), 0, count))
        finally:
            self.closed.set()

    def read(self, prompt: Prompt) -> Iterator[None]:
        self.read_prompts.append(prompt)
        yield

    def settle(self) -> None:
        self.settled.set()

    def close(self) -> None:
        pass
