"""How numbers, lists and paths are put into words."""

import shlex
from pathlib import Path

import pytest

from sayso.system.wording import counted, in_shell, listed, path_tail, percent

NAMES = ["anna", "ben", "cleo", "dora"]


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 clips are"), (1, "1 clip is"), (2, "2 clips are"), (12_345, "12,345 clips are")]
)
def test_counted_takes_the_singular_for_one_alone(count: int, said: str) -> None:
    assert counted(count, "clip is", "clips are") == said
    assert counted(count, "clip") == said.rpartition(" ")[0]


@pytest.mark.parametrize("name", ["my run", "anna's", "$HOME", "a;b", "a\\b", ""])
def test_a_path_in_a_command_is_one_word_of_it(name: str) -> None:
    path = Path("runs") / name
    assert shlex.split(f"sayso train --resume {in_shell(path)}") == ["sayso", "train", "--resume", str(path)]
    assert in_shell("runs/tones-2024_1") == "runs/tones-2024_1"


def test_a_list_that_fits_is_whole_and_a_longer_one_shows_that_it_goes_on() -> None:
    assert listed([], 3) == ""
    assert listed(NAMES, 5) == listed(NAMES, 4) == "anna, ben, cleo, dora"
    assert listed(NAMES, 3) == "anna, ben, cleo, ..."
    assert listed(tuple(NAMES), 1, between="; ") == "anna; ..."


def test_a_list_can_tell_how_many_are_left() -> None:
    assert listed(NAMES, 4, count_rest=True) == "anna, ben, cleo, dora"
    assert listed(NAMES, 3, count_rest=True) == "anna, ben, cleo, and 1 more"
    assert listed(NAMES * 1000, 1, between="; ", count_rest=True) == "anna; and 3,999 more"


@pytest.mark.parametrize(
    ("share", "digits", "said"),
    [(0.0, 1, "0.0 %"), (1.0, 1, "100.0 %"), (0.98349, 1, "98.3 %"), (0.05, 0, "5 %"), (None, 1, "-")],
)
def test_a_share_as_a_percentage(share: float | None, digits: int, said: str) -> None:
    assert percent(share, digits=digits) == said


def test_the_end_of_a_path_is_the_same_on_every_system() -> None:
    assert path_tail("/data/yes/1.wav") == path_tail(r"C:\data\yes\1.wav") == "yes/1.wav"
    assert path_tail("/data/yes/1.wav", 3) == "data/yes/1.wav"
    assert path_tail("1.wav") == "1.wav"
