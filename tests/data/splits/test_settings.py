"""Split settings that contradict one another are told when they are read."""

import pytest

from sayso.config.schema import read
from sayso.data.splits import SplitSettings
from sayso.errors import SettingsError


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"folds": 3, "by": "random"}, "split.folds: divides speakers, but by is random"),
        ({"folds": 3, "by": "official"}, "split.folds: divides speakers, but by is official"),
        ({"test_speakers": ["theo"], "by": "random"}, "split.test_speakers: holds speakers out, but by is random"),
        ({"folds": 3, "test_speakers": ["theo"]}, "split.test_speakers: is given, but folds choose"),
        ({"fold": 2}, "split.fold: is 2, but folds is empty"),
        ({"folds": 3, "fold": 7}, "split.fold: is 7, must be 0 to 2: there are 3 folds"),
        ({"folds": 1}, "split.folds: is 1, must be at least 2"),
        ({"by": "folds"}, "split.by: is 'folds', must be auto | official | random | speakers"),
    ],
)
def test_what_contradicts_itself_is_told_at_once(values: dict[str, object], says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(SplitSettings, values, key="split")
    assert says in str(caught.value)


@pytest.mark.parametrize("values", [{}, {"folds": 3, "fold": 2}, {"by": "speakers", "test_speakers": ["theo"]}])
def test_what_fits_together_is_read(values: dict[str, object]) -> None:
    read(SplitSettings, values)


def test_every_fault_is_told_together() -> None:
    with pytest.raises(SettingsError) as caught:
        SplitSettings(by="random", folds=3, fold=7, test_speakers=("theo",))
    assert [fault.key for fault in caught.value.faults] == ["folds", "test_speakers", "test_speakers", "fold"]
