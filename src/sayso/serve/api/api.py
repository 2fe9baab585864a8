"""What all requests of the interface share."""

import asyncio
import os
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import TypeVar

from sayso.errors import DataError
from sayso.runtime.live import Tell
from sayso.serve.api.slots import Slots
from sayso.serve.models import ServedModel
from sayso.system.wording import listed

__all__ = ["MISTAKE", "Api"]

MISTAKE = "This server made a mistake, or a model is damaged; its terminal says which"

_PREDICTIONS_PER_CORE = 16
_SHOWN = 40
_SHOWN_MODELS = 10
_Result = TypeVar("_Result")


class Api:
    """What all requests share.

    Args:
        models: by their names; the first answers where none is named.
        most_streams: that are heard at once.
        workers: compute, while the others are heard on.
        tell: takes what a person should know of clients.
    """

    def __init__(self, models: Mapping[str, ServedModel], *, most_streams: int, workers: Executor, tell: Tell) -> None:
        self.models, self._workers, self.tell = models, workers, tell
        self.streams = Slots(most_streams)
        self.predictions = Slots(_PREDICTIONS_PER_CORE * (os.cpu_count() or 1))

    def find(self, name: str | None) -> tuple[str, ServedModel]:
        """Give a model by its name; None: the first.

        Raises:
            DataError: there is none of that name.
        """
        name = next(iter(self.models)) if name is None else name
        if name not in self.models:
            has = listed(list(self.models), _SHOWN_MODELS, count_rest=True)
            raise DataError(f"model '{name[:_SHOWN]}' is not served; those that are: {has}")
        return name, self.models[name]

    async def compute(self, work: Callable[[], _Result]) -> _Result:
        """Do something that takes long, while the others are heard on."""
        return await asyncio.get_running_loop().run_in_executor(self._workers, work)
