"""How long a person waits on their own machine, and for which stage: `parley bench`."""
