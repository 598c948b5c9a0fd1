"""A small home and a few sentences for it."""

from wyoming_common.home_assistant.home import Area, Entity, Home

HOME = Home(
    entities={
        "light.bedroom": Entity("light.bedroom", "Bedroom Lamp", ("Bedroom Lamp", "Night Light")),
        "light.torvane": Entity("light.torvane", "Torvane Light"),
        "cover.garage": Entity("cover.garage", "Garage Door"),
    },
    areas={"kitchen": Area("kitchen", "Kitchen"), "office": Area("office", "Office")},
    floors={"first": Area("first", "First Floor")},
)

SENTENCES = {
    "skip_words": ["please", "could you"],
    "intents": {
        "TurnOn": {
            "data": [
                {
                    "sentences": ["<turn> on [the] {name}", "<turn> [the] {name} on"],
                    "requires_context": {"domain": "light"},
                }
            ]
        },
        "Open": {
            "data": [{"sentences": ["open [the] {name}"], "requires_context": {"domain": "cover"}}]
        },
        "Dim": {"data": [{"sentences": ["(dim;[the] {name};to {level}[ ](percent|%))"]}]},
        "Add": {"data": [{"sentences": ["add {anything} to my list"]}]},
        "Broken": {"data": [{"sentences": ["say {missing}", "say (", "<missing> it"]}]},
    },
    "lists": {
        "level": {"range": {"from": 0, "to": 100}},
        "anything": {"wildcard": True},
    },
    "expansion_rules": {"turn": "(turn|switch)"},
}
