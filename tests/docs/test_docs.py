"""The site's sources, without building it: whole, linked, and what they tell a reader to type is right."""

import importlib
import importlib.util
import io
import json
import pkgutil
import re
import shlex
import sys
import tomllib
import types
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import typer
import yaml
from floors import floors

import sayso
from sayso.audio import Fit, fit_length
from sayso.cli import app
from sayso.data.datasets import DATASETS
from sayso.features import FEATURES
from sayso.models import MODELS
from sayso.recipe.recipe import recipe_from_values

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *DOCS.rglob("*.rst")])
HOW_TOS = [page for page in sorted((DOCS / "howto").glob("*.md")) if page.stem != "index"]
TRAINS = (
    "home-assistant",
    "int8",
    "listen",
    "own-words",
    "raspberry-pi",
    "reading-a-report",
    "small-boards",
    "web-page",
)
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
WIDEST_CELL = 88  # more does not fit the column of the site


def blocks(page, language):
    """Contents of the fenced blocks of a language, cells' options left out."""
    fence = rf"^```{re.escape(language)}(?: python)?\n(?:---\n.*?^---\n|(?::\w+:[^\n]*\n)+\n?)?(.*?)^```$"
    return re.findall(fence, page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def name(page):
    return page.relative_to(DOCS).with_suffix("").as_posix()


def children(page):
    """Pages that the tables of contents of a page name."""
    text = page.read_text(encoding="utf-8")
    trees = blocks(page, "{toctree}") + re.findall(r"^\.\. toctree::\n(.*?)(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    lines = (line.strip() for tree in trees for line in tree.splitlines())
    return [(page.parent / line).relative_to(DOCS).as_posix() for line in lines if line and not line.startswith(":")]


def test_every_page_can_be_reached_from_the_first():
    known = {name(page): page for page in PAGES}
    reached, waiting = set(), ["index"]
    while waiting:
        here = waiting.pop()
        assert here in known, f"a toctree names {here}, which is not there"
        reached.add(here)
        waiting += [child for child in children(known[here]) if child not in reached]
    assert reached == set(known)


def test_the_home_shows_a_picture_that_is_there_and_small():
    shown = re.findall(r"^```\{figure\} (\S+)$", (DOCS / "index.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert shown == ["report.png"]
    assert 10_000 < (DOCS / "report.png").stat().st_size < 200_000


def test_each_picture_of_the_studio_is_shown_and_small():
    pictures = {path.name: path.stat().st_size for path in (DOCS / "studio").iterdir()}
    pages = [(DOCS / "howto" / name).read_text(encoding="utf-8") for name in ("studio.md", "web-page.md")]
    assert sorted(re.findall(r"\{figure\} \.\./studio/(\S+)", "".join(pages))) == sorted(pictures)
    assert all(5_000 < size < 150_000 for size in pictures.values()), pictures
    for name in pictures:
        assert (DOCS / "studio" / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        file = target.partition("#")[0]
        assert "://" in target or not file or (page.parent / file).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES], ids=lambda page: page.name)
def test_what_is_installed_is_a_checkout(page):
    """Sayso is on no package registry: a name there would be somebody else's."""
    lines = [line for line in page.read_text(encoding="utf-8").splitlines() if "pip install" in line]
    for line in lines:
        assert "sayso" not in line, f"{page.name}: {line}"
        extras = re.search(r'"\.\[(.*?)\]"', line)
        assert extras is None or set(extras[1].split(",")) <= set(EXTRAS), f"{page.name}: {line}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_that_are_shown_exist(page):
    lines = [line for block in blocks(page, "console") for line in block.splitlines() if line.startswith("$ sayso")]
    for line in lines:
        command, words = typer.main.get_command(app), shlex.split(line)[2:]
        while hasattr(command, "commands"):
            assert words[0] in command.commands, f"{page.name}: {line}"
            command, words = command.commands[words[0]], words[1:]
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= options, f"{page.name}: {line}"


def test_cells_fit_the_page_and_begin_alike():
    pages = [page for page in PAGES if blocks(page, "{code-cell}")]
    lines = [line for page in pages for cell in blocks(page, "{code-cell}") for line in cell.splitlines()]
    assert not [line for line in lines if len(line) > WIDEST_CELL]
    tour = [page for page in pages if page.parent.name == "tour"]
    assert len(tour) >= 5
    assert len({blocks(page, "{code-cell}")[0] for page in tour}) == 1  # the one that chooses the recordings


def test_the_tour_begins_with_sound(monkeypatch):
    """In its first cell, which is the same on all pages; what plays the sound comes with the site's own tools."""
    if not sayso.dataset("fsdd").here:
        pytest.importorskip("espeakng_loader", reason="needs the extra `voices`")
    played: list[str] = []
    display = types.ModuleType("IPython.display")
    vars(display)["Audio"] = played.append
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    first = blocks(DOCS / "tour" / "samples.md", "{code-cell}")[0]
    assert len(first.splitlines()) < 10
    exec(compile(first, "the first cell", "exec"), {})
    (path,) = played
    assert Path(path).is_file()


def test_every_module_is_in_the_reference():
    text = "\n".join(page.read_text(encoding="utf-8") for page in (DOCS / "api").glob("*.rst"))
    listed = set(re.findall(r"^   (sayso[\w.]*(?:\.\*)?)$", text, re.MULTILINE))
    for module in pkgutil.walk_packages(sayso.__path__, "sayso."):
        if module.ispkg or module.name.startswith(("sayso.cli", "sayso.__")):
            continue
        package = module.name.rpartition(".")[0]
        # A package on a page stands for its public names, wherever in it they are.
        named = {module.name, f"{package}.*"} | ({package} - {"sayso"})
        assert named & listed, f"name {module.name} on a page of docs/api"
    for line in listed:
        assert importlib.util.find_spec(line.removesuffix(".*")), f"docs/api names {line}, which is not there"


def test_every_floor_is_told_in_the_order_in_which_they_stand():
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    told = re.findall(r"^### `(\w+)`$", text, re.MULTILINE)
    there = {module.name for module in pkgutil.iter_modules(sayso.__path__)} - {"__main__"}
    assert sorted(told) == sorted(there)
    height = {name: place for place, floor in enumerate(reversed(floors())) for name in floor}
    assert [height[name] for name in told] == sorted(height.values())


def test_every_place_that_the_architecture_names_is_there():
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    source = Path(sayso.__path__[0])
    for named in re.findall(r"`([a-z_]+/[\w/.]*)`", text):
        place = source / named
        assert place.exists() or place.with_suffix(".py").exists(), f"architecture.md names {named}"


def test_every_room_of_a_floor_is_named_or_is_a_part():
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    of_parts = ("features", "models", "augment")
    for floor in pkgutil.iter_modules(sayso.__path__, "sayso."):
        if not floor.ispkg or floor.name.endswith(of_parts):
            continue
        package = importlib.import_module(floor.name)
        for room in pkgutil.iter_modules(package.__path__):
            if room.ispkg:
                assert f"`{floor.name.removeprefix('sayso.')}/{room.name}`" in text, f"{floor.name}.{room.name}"


@pytest.mark.parametrize("page", HOW_TOS, ids=name)
def test_settings_that_are_shown_can_be_read(page):
    for block in blocks(page, "yaml"):
        recipe_from_values(yaml.safe_load(block), source=page.name)
    rooms = {registry.room for registry in (FEATURES, MODELS, DATASETS)}
    for block in blocks(page, "toml"):
        assert set(tomllib.loads(block)["project"]["entry-points"]) <= rooms


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=[pytest.mark.slow] if page.stem in TRAINS else [], id=page.stem) for page in HOW_TOS],
)
def test_how_to_code_runs(page, tmp_path, monkeypatch):
    cells = blocks(page, "{code-cell}")
    assert cells
    for registry in (FEATURES, MODELS, DATASETS):
        registry.names()
        monkeypatch.setattr(registry, "_parts", dict(registry._parts))  # what a page registers goes with it
    monkeypatch.chdir(tmp_path)
    scope = {"__name__": page.stem}
    for number, cell in enumerate(cells, start=1):
        if "IPython" not in cell:  # comes with the site's own tools
            exec(compile(cell, f"{page.name}, cell {number}", "exec"), scope)


@pytest.mark.parametrize("way", get_args(Fit))
def test_the_port_to_numpy_fits_clips_as_sayso_does(way):
    facts = {"labels": '["a", "b"]', "audio": f'{{"sample_rate": 100, "clip_seconds": 0.1, "fit": "{way}"}}'}
    scope = {"facts": facts, "json": json}
    (cell,) = (cell for cell in blocks(DOCS / "howto" / "onnx-file.md", "{code-cell}") if "def fit" in cell)
    exec(compile(cell, "onnx-file", "exec"), scope)
    rng = np.random.default_rng(0)
    for length in (1, 7, 8, 10, 11, 24, 25):
        samples = rng.integers(-32768, 32767, length, dtype=np.int16)
        assert np.array_equal(scope["fit"](samples), fit_length(samples, 10, way)), length


def test_the_loop_on_a_small_computer_hears_each_stretch_of_sound_once():
    (cell,) = (cell for cell in blocks(DOCS / "howto" / "raspberry-pi.md", "{code-cell}") if "def phrases" in cell)
    scope: dict[str, Any] = {}
    exec(compile(cell, "raspberry-pi", "exec"), scope)
    silence, tone = np.zeros(800, np.int16), np.full(400, 3000, np.int16)
    stream = np.concatenate([silence, tone, silence[:200], tone, silence, tone, silence[:100]])
    heard = list(scope["phrases"](io.BytesIO(stream.tobytes()), 1000))
    # A tenth of a second before, the two tones a short pause apart as one, and 0.3 s of pause behind.
    assert [len(sound) for sound in heard] == [100 + 1000 + 300, 100 + 400 + 100]
    assert [np.count_nonzero(sound) for sound in heard] == [800, 400]
    long = list(scope["phrases"](io.BytesIO(np.full(7000, 3000, np.int16).tobytes()), 1000))
    assert sum(map(len, long)) == 7000
