"""Parts that announce themselves."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, ClassVar

import pytest

from sayso.config import registry as registry_module
from sayso.config.registry import Part, Registry
from sayso.config.schema import dump, read
from sayso.errors import SaysoError, SettingsError

ROOM = "room_of_parts"
INIT = """
from dataclasses import dataclass
from typing import ClassVar
from sayso.config.registry import Part, Registry

class Shape(Part):
    registry: ClassVar[Registry]

SHAPES = Registry("room_of_parts", noun="shape")
Shape.registry = SHAPES
"""
MODULE = """
from dataclasses import dataclass
from room_of_parts import SHAPES, Shape

@SHAPES.register("{kind}")
@dataclass(frozen=True, kw_only=True)
class {name}(Shape):
    size: int = 1
"""


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A package with two parts in files of their own names, and one in a file of another name."""
    folder = tmp_path / ROOM
    folder.mkdir()
    (folder / "__init__.py").write_text(INIT)
    for file, kind in (("circle", "circle"), ("square", "square"), ("others", "hexagon")):
        (folder / f"{file}.py").write_text(MODULE.format(kind=kind, name=kind.title()))
    monkeypatch.syspath_prepend(tmp_path)
    yield __import__(ROOM)
    for name in [name for name in sys.modules if name.partition(".")[0] in (ROOM, "room_addon")]:
        del sys.modules[name]


def declare(monkeypatch: pytest.MonkeyPatch, *values: str) -> None:
    """Pretend that other packages declare these entry points."""
    points = [EntryPoint(name="addon", value=value, group=ROOM) for value in values]
    monkeypatch.setattr(registry_module, "entry_points", lambda *, group: [p for p in points if p.group == group])


def test_modules_of_the_room_are_found(room: Any) -> None:
    assert room.SHAPES.names() == ["circle", "hexagon", "square"]
    assert [part.kind for part in room.SHAPES] == ["circle", "hexagon", "square"]


def test_a_known_name_imports_its_own_module_alone(room: Any) -> None:
    assert room.SHAPES.get("circle").__name__ == "Circle"
    assert f"{ROOM}.circle" in sys.modules
    assert f"{ROOM}.square" not in sys.modules


def test_a_part_in_a_file_of_another_name(room: Any) -> None:
    assert room.SHAPES.get("hexagon").__name__ == "Hexagon"


def test_entry_points_are_found(room: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "room_addon.py").write_text(MODULE.format(kind="star-8", name="Star"))
    declare(monkeypatch, "room_addon")
    assert room.SHAPES.get("star-8").__module__ == "room_addon"
    assert "star-8" in room.SHAPES.names()


@pytest.mark.parametrize("value", ["room_addon_that_is_not_there", "json:nothing_of_that_name"])
def test_a_broken_entry_point_is_named_in_one_line(room: Any, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    declare(monkeypatch, value)
    with pytest.raises(SaysoError, match=rf"add-on 'addon' \({value}\) in {ROOM} cannot be loaded") as caught:
        room.SHAPES.names()
    assert "\n" not in str(caught.value)
    assert room.SHAPES.get("circle").__name__ == "Circle"


def test_an_unknown_kind_names_the_nearest(room: Any) -> None:
    with pytest.raises(SettingsError, match=r"kind: no shape 'cirkle'; did you mean 'circle'\?"):
        room.SHAPES.get("cirkle")


@pytest.mark.parametrize("kind", ["../circle", "circle.x", "os", "", "__init__", "größe", "a b"])
def test_odd_kinds_are_just_unknown(room: Any, kind: str) -> None:
    with pytest.raises(SettingsError, match="no shape"):
        room.SHAPES.get(kind)


def test_two_classes_of_one_name_are_refused(room: Any) -> None:
    known = room.SHAPES.get("circle")

    class Circle(room.Shape):
        pass

    with pytest.raises(ValueError, match="shape 'circle' is registered twice"):
        room.SHAPES.register("circle")(Circle)
    assert room.SHAPES.get("circle") is known


def test_a_module_may_be_loaded_again(room: Any) -> None:
    first = room.SHAPES.get("circle")
    del sys.modules[f"{ROOM}.circle"]
    __import__(f"{ROOM}.circle")
    assert room.SHAPES.get("circle") is not first


def test_kind_chooses_the_class(room: Any) -> None:
    shape = read(room.Shape, {"kind": "square", "size": 2})
    assert type(shape).__name__ == "Square"
    assert dump(shape) == {"kind": "square", "size": 2}
    assert read(room.Shape, dump(shape)) == shape


def test_kind_may_be_left_out_where_the_class_is_known(room: Any) -> None:
    circle = room.SHAPES.get("circle")
    assert read(circle, {"size": 2}) == circle(size=2)
    assert read(circle, {"kind": "circle", "size": 2}) == circle(size=2)


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"size": 2}, "shape.kind: is missing; choose from circle, hexagon, square"),
        ({"kind": None}, "shape.kind: is missing; choose from circle, hexagon, square"),
        ({"kind": 7}, "shape.kind: is 7, must be text; choose from circle, hexagon, square"),
        ({"kind": False}, "shape.kind: is False, must be text; choose from circle, hexagon, square"),
        ({"kind": "circel"}, "shape.kind: no shape 'circel'; did you mean 'circle'?"),
        ({"kind": "circle", "sice": 2}, "shape.sice: unknown key; did you mean 'size'?"),
    ],
)
def test_faults_of_a_part(room: Any, values: dict[str, object], fault: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(room.Shape, values, key="shape")
    assert str(caught.value) == fault


def test_rooms_do_not_share_parts() -> None:
    @dataclass(frozen=True, kw_only=True)
    class One(Part):
        registry: ClassVar["Registry[Any]"] = Registry("sayso.features", noun="one")

    other: Registry[Any] = Registry("sayso.models", noun="other")
    One.registry.register("one")(One)
    assert "one" not in other.names()
