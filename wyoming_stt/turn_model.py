"""Which model judges pauses."""

import logging
from functools import partial

from wyoming_common.errors import ServiceError
from wyoming_common.smart_turn import SMART_TURN, NoTurnModel, SmartTurn, TurnModel
from wyoming_common.store import ModelStore
from wyoming_common.worker import ModelThread
from wyoming_stt.config import SttSettings
from wyoming_stt.models import locate

_LOGGER = logging.getLogger(__name__)


def turn_model(settings: SttSettings) -> ModelThread[TurnModel] | None:
    """Return the model that `--endpointing` asks for, None where silence is to decide.

    `auto` takes the one that is installed. It fetches it only along with the recogniser itself,
    and does without where that fails.
    """
    store = ModelStore(settings.data_dir)
    if settings.endpointing == "turn":
        return ModelThread("stt-turn", lambda: SmartTurn(store.ensure(SMART_TURN)))
    if settings.endpointing != "auto":
        return None
    if (path := store.find(SMART_TURN)) is not None:
        return ModelThread("stt-turn", lambda: SmartTurn(path))
    named = settings.model[0] in store.catalogue
    if named and locate(settings.model[0], settings.data_dir) is None:
        return ModelThread("stt-turn", partial(_fetched, store))
    return None


def _fetched(store: ModelStore) -> TurnModel:
    try:
        return SmartTurn(store.ensure(SMART_TURN))
    except ServiceError as err:
        _LOGGER.warning("Silence alone ends turns: %s", err)
        return NoTurnModel()
