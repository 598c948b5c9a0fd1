"""Wyoming `info` of the service, the answer to `describe`."""

from importlib.metadata import version

from wyoming.info import Attribution, HandleModel, HandleProgram, Info


def llm_info(engine_name: str, model: str, *, controls: bool) -> Info:
    """Return the service; cheap enough for every `describe`.

    No languages are named: clients take that for all of them.
    """
    us = Attribution(name="Parley", url="")
    release = version("parley-voice")
    return Info(
        handle=[
            HandleProgram(
                name="parley-llm",
                description=f"Conversation by {engine_name}, from the first word on",
                attribution=us,
                installed=True,
                version=release,
                models=[
                    HandleModel(
                        name=model,
                        description=model,
                        attribution=us,
                        installed=True,
                        version=release,
                        languages=[],
                    )
                ],
                supports_handled_streaming=True,
                supports_home_control=controls,
            )
        ]
    )
