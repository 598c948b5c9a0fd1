"""What shows how the satellite is doing, and the buttons that tell it something."""
