"""Parts by name: a new dataset, feature, network or augmentation is one new file that registers itself.

Each room of parts owns one `Registry`. The first look-up imports every module of the room, then every entry point
of its group that other packages declare, so nothing else has to be told about a new part.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, ClassVar, Generic, TypeVar, cast

from sayso.config.schema import Settings, did_you_mean
from sayso.errors import Fault, SaysoError, SettingsError

__all__ = ["Part", "Registry"]

P = TypeVar("P", bound="Part")
Q = TypeVar("Q", bound="Part")


@dataclass(frozen=True, kw_only=True)
class Part(Settings):
    """Base of the settings of one kind of part; each room derives its own base, each file one class with a `kind`."""

    kind: ClassVar[str] = ""
    registry: ClassVar["Registry[Any]"]

    @classmethod
    def variant(cls: type[P], values: dict[str, Any]) -> type[P]:
        """Choose the registered class that `kind` names; a class that has a kind already may leave the key out."""
        kind = values.pop("kind", cls.kind)
        if kind and kind == cls.kind:
            return cls
        if not isinstance(kind, str) or not kind:
            names = ", ".join(cls.registry.names())
            wrong = f"is {kind!r}, must be text" if kind not in ("", None) else "is missing"
            raise SettingsError([Fault("kind", f"{wrong}; choose from {names}")])
        return cls.registry.get(kind)


class Registry(Generic[P]):
    """Names and their settings classes, for one room.

    Args:
        room: the package whose modules hold the parts; `sayso.features`, say.
        noun: what one part is called in messages.
        group: of the entry points of other packages; empty: it is called as the room is.
    """

    def __init__(self, room: str, *, noun: str, group: str = "") -> None:
        self.room = room
        self.group = group or room
        self.noun = noun
        self._parts: dict[str, type[P]] = {}
        self._discovered = False

    def register(self, kind: str) -> Callable[[type[Q]], type[Q]]:
        """Class decorator: enter a settings class under `kind`.

        Raises:
            ValueError: another class has that name.
        """

        def enter(part: type[Q]) -> type[Q]:
            known = self._parts.get(kind, part)
            # The same class again is its module loaded a second time, as a notebook does.
            if (known.__module__, known.__qualname__) != (part.__module__, part.__qualname__):
                raise ValueError(f"{self.noun} '{kind}' is registered twice")
            part.kind = kind
            self._parts[kind] = cast(type[P], part)
            return part

        return enter

    def get(self, kind: str) -> type[P]:
        """Look a part up.

        Raises:
            SettingsError: no part has that name; the nearest one is given.
        """
        # The module of that name first: a known part must not pay for importing all the others.
        if kind.isidentifier() and kind not in self._parts and not self._discovered:
            self._import_module(kind)
        if kind not in self._parts:
            self._discover()
        if kind not in self._parts:
            raise SettingsError([Fault("kind", f"no {self.noun} '{kind}'; {did_you_mean(kind, self._parts)}")])
        return self._parts[kind]

    def names(self) -> list[str]:
        """Give all names, in alphabetical order."""
        self._discover()
        return sorted(self._parts)

    def __iter__(self) -> Iterator[type[P]]:
        return iter([self._parts[name] for name in self.names()])

    def _import_module(self, name: str) -> None:
        package = importlib.import_module(self.room)
        if any(module.name == name for module in pkgutil.iter_modules(package.__path__)):
            importlib.import_module(f"{self.room}.{name}")

    def _discover(self) -> None:
        if self._discovered:
            return
        package = importlib.import_module(self.room)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self.room}.{module.name}")
        for point in entry_points(group=self.group):
            try:
                point.load()
            except Exception as error:
                raise SaysoError(
                    f"the add-on '{point.name}' ({point.value}) in {self.group} cannot be loaded: "
                    f"{type(error).__name__}: {error}; update or uninstall it"
                ) from error
        self._discovered = True
