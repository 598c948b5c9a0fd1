"""Peripherals: lights, buttons, screens and programs that follow and control the satellite."""
