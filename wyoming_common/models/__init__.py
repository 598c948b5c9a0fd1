"""The model store: a catalogue of models, and the folder where they are kept.

A model is a folder `DATA_DIR/models/NAME` that appears whole or not at all.
"""

from wyoming_common.models.catalogue import Catalogue, Entry, ModelFile
from wyoming_common.models.progress import Progress
from wyoming_common.models.store import ModelStore

__all__ = ["Catalogue", "Entry", "ModelFile", "ModelStore", "Progress"]
