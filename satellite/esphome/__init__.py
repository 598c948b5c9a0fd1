"""ESPHome native API: the satellite as a device of Home Assistant's ESPHome integration."""
