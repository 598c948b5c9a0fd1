"""The devices of a furnished home, as Home Assistant's configuration.

They are template entities over helpers, so that what happens to them can be seen; some do not work.
"""

ROOMS = {
    "kitchen": ("light.ceiling_light", "switch.coffee_machine", "sensor.kitchen_temperature"),
    "bedroom": ("light.bedside_lamp", "cover.curtain", "binary_sensor.bedroom_window"),
    "living_room": ("light.floor_lamp", "light.tv_light", "fan.ceiling_fan", "climate.heating"),
    "hallway": ("lock.front_door", "light.hallway_light"),
}
FLOORS = {"Upstairs": ("bedroom",), "Ground floor": ("kitchen", "living_room", "hallway")}
ALIASES = {"light.bedside_lamp": "night light"}
EXPOSED = frozenset(
    {"light", "switch", "cover", "fan", "lock", "scene", "script", "climate", "vacuum"}
    | {"sensor", "binary_sensor"}
)
HIDDEN = "light.secret_light"
LIGHTS = (
    "Ceiling light",
    "Bedside lamp",
    "Floor lamp",
    "TV light",
    "Hallway light",
    "Secret light",
)
_MORE_LIGHTS = {
    "Broken light": "        availability: '{{ false }}'\n",
    "Lazy light": "",
}


def key_of(name: str) -> str:
    """Return what an entity of this name is called in ids."""
    return name.lower().replace(" ", "_")


def _light(name: str) -> str:
    helper, level = f"input_boolean.h_{key_of(name)}", f"input_number.h_{key_of(name)}"
    return f"""
      - name: {name}
        unique_id: {key_of(name)}
        state: "{{{{ is_state('{helper}', 'on') }}}}"
        level: "{{{{ states('{level}') | int }}}}"
        turn_on: {{action: input_boolean.turn_on, target: {{entity_id: {helper}}}}}
        turn_off: {{action: input_boolean.turn_off, target: {{entity_id: {helper}}}}}
        set_level:
          - action: input_number.set_value
            target: {{entity_id: {level}}}
            data: {{value: "{{{{ brightness }}}}"}}
          - {{action: input_boolean.turn_on, target: {{entity_id: {helper}}}}}
"""


def _dead_light(name: str, more: str) -> str:
    return (
        f"      - name: {name}\n        unique_id: {key_of(name)}\n"
        f"        state: '{{{{ false }}}}'\n{more}        turn_on: []\n        turn_off: []\n"
    )


def _switched(name: str, kind: str, on: str, off: str, state: str, more: str = "") -> str:
    helper = f"input_boolean.h_{key_of(name)}"
    return f"""
    {kind}:
      - name: {name}
        unique_id: {key_of(name)}
        state: "{state.replace("HELPER", helper)}"
        {on}: {{action: input_boolean.turn_on, target: {{entity_id: {helper}}}}}
        {off}: {{action: input_boolean.turn_off, target: {{entity_id: {helper}}}}}
{more}"""


def _helpers() -> str:
    names = [*LIGHTS, "Coffee machine", "Front door", "Ceiling fan", "Robot", "Unplugged"]
    booleans = "".join(f"  h_{key_of(name)}: {{name: Helper of {name}}}\n" for name in names)
    numbers = "".join(
        f"  h_{key_of(name)}: {{name: Level of {name}, min: 0, max: 255, initial: 255}}\n"
        for name in LIGHTS
    )
    places = "".join(
        f"  h_{name}: {{name: Place of {name}, min: 0, max: 100, initial: {initial}}}\n"
        for name, initial in (("curtain", 0), ("garage_door", 0))
    )
    return (
        f"input_boolean:\n{booleans}  h_heater: {{name: Heater}}\ninput_number:\n{numbers}{places}"
    )


def _cover(name: str, kind: str) -> str:
    helper = f"input_number.h_{key_of(name)}"
    target = f"target: {{entity_id: {helper}}}"
    return f"""
      - name: {name}
        unique_id: {key_of(name)}
        device_class: {kind}
        position: "{{{{ states('{helper}') | int }}}}"
        open_cover: {{action: input_number.set_value, {target}, data: {{value: 100}}}}
        close_cover: {{action: input_number.set_value, {target}, data: {{value: 0}}}}
        set_cover_position:
          - {{action: input_number.set_value, {target}, data: {{value: "{{{{ position }}}}"}}}}
"""


_PLUGGED = """        availability: "{{ is_state('input_boolean.h_unplugged', 'off') }}"
"""
_ON = "{{ is_state('HELPER', 'on') }}"
CONFIGURATION = f"""
homeassistant:
  name: Furnished
  latitude: 52.0
  longitude: 13.0
  elevation: 30
  unit_system: metric
  time_zone: UTC
  country: US
  language: en
  internal_url: http://127.0.0.1:PORT
config:
conversation:
assist_pipeline:
assist_satellite:
intent:
stt:
tts:
wake_word:
logger: {{default: warning}}
{_helpers()}
scene:
  - name: Movie night
    entities: {{input_boolean.h_tv_light: "on", input_boolean.h_floor_lamp: "off"}}
script:
  good_night:
    alias: Good night
    sequence: [{{action: input_boolean.turn_off, target: {{entity_id: input_boolean.h_tv_light}}}}]
climate:
  - platform: generic_thermostat
    name: Heating
    unique_id: heating
    heater: input_boolean.h_heater
    target_sensor: sensor.kitchen_temperature
    target_temp: 19
    initial_hvac_mode: heat
template:
  - light:{"".join(map(_light, LIGHTS))}
{"".join(_dead_light(name, more) for name, more in _MORE_LIGHTS.items())}
{_switched("Coffee machine", "switch", "turn_on", "turn_off", _ON, _PLUGGED)}
{_switched("Front door", "lock", "lock", "unlock", _ON)}
{_switched("Ceiling fan", "fan", "turn_on", "turn_off", _ON)}
    vacuum:
      - name: Robot
        unique_id: robot
        state: "{{{{ 'cleaning' if is_state('input_boolean.h_robot', 'on') else 'docked' }}}}"
        start: {{action: input_boolean.turn_on, target: {{entity_id: input_boolean.h_robot}}}}
        return_to_base:
          - {{action: input_boolean.turn_off, target: {{entity_id: input_boolean.h_robot}}}}
    cover:{_cover("Curtain", "curtain")}{_cover("Garage door", "garage")}
    sensor:
      - name: Kitchen temperature
        unique_id: kt
        state: "21.5"
        unit_of_measurement: "°C"
        device_class: temperature
      - name: Phone battery
        unique_id: pb
        state: "64"
        unit_of_measurement: "%"
        device_class: battery
    binary_sensor:
      - name: Bedroom window
        unique_id: bw
        state: "{{{{ true }}}}"
        device_class: window
      - name: Back door
        unique_id: bd
        state: "{{{{ false }}}}"
        device_class: door
"""
