"""Policy of what is done at once, what is asked first, and for whom it is done at all."""

from collections.abc import Callable
from dataclasses import replace

from wyoming_common.home_assistant.home import Entity, State
from wyoming_llm.config import LlmSettings
from wyoming_llm.home.intent import Action, Command
from wyoming_llm.home.operations import is_risky, level_of
from wyoming_llm.home.people import People
from wyoming_llm.home.responses import asked
from wyoming_llm.languages import Language

StateOf = Callable[[Entity], State]


class Policy:
    """The settings `risky`, `risky_people`, `confirm_above` and `model_acts`."""

    def __init__(self, settings: LlmSettings) -> None:
        self._confirm_above = settings.confirm_above
        self._asks_for_guesses = settings.model_acts == "ask"
        self._allowed = {name.casefold() for name in settings.risky}
        self.people = People(settings.belongings, settings.risky_people)

    def question(self, command: Command, words: Language, state_of: StateOf) -> str:
        """Return the question that a command needs first, "" for none."""
        every = (*command.actions, *command.delayed)
        risky = [action for action in every if self._is_risky(action, state_of)]
        if risky:
            return asked(words, risky)
        against = [action for action in command.actions if action.deed == "against"]
        if against and (target := against[0].target) is not None:
            level = level_of(target, state_of(target))
            now = "?" if level is None else f"{level:.0f} {against[0].value.split()[-1]}"
            return words.say("already", name=target.name, now=now, value=against[0].value)
        if len(command.actions) > self._confirm_above:
            return words.say("many", count=len(command.actions))
        if command.guessed and self._asks_for_guesses:
            return asked(words, command.actions)
        return ""

    def may(self, speaker: str, command: Command, state_of: StateOf) -> bool:
        """Whether the speaker may do what is risky in a command."""
        return all(
            action.target is None
            or self.people.may(speaker, action.target)
            or not is_risky(action, state_of(action.target))
            for action in (*command.actions, *command.delayed)
        )

    def _is_risky(self, action: Action, state_of: StateOf) -> bool:
        target = action.target
        if target is None or self._is_allowed(target):
            return False
        return is_risky(action, state_of(target))

    def _is_allowed(self, entity: Entity) -> bool:
        return bool(self._allowed & {entity.id, *(name.casefold() for name in entity.names)})


def confirmed(command: Command) -> Command:
    """Return a command as it is carried out after a yes."""
    plain = [replace(a, deed="set") if a.deed == "against" else a for a in command.actions]
    return replace(command, actions=tuple(plain))
