"""The page that shows every millisecond: `parley dashboard`."""
