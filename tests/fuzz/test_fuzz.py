"""Damaged files are read, or refused in one line; nothing else comes out, and no process dies of one.

SAYSO_FUZZ_CASES (10,000) and SAYSO_FUZZ_SEED (0) set how many files of each kind the slow tests damage, and how.
"""

import os
from pathlib import Path

import pytest

from fuzz.campaign import run_campaign
from fuzz.target import make_case
from fuzz.targets import NAMES, QUICK, open_target
from sayso.errors import SaysoError

QUICK_CASES = 50


@pytest.mark.parametrize("name", QUICK)
def test_some_damaged_files_are_read_or_refused(name: str, tmp_path: Path) -> None:
    target = open_target(name)
    originals = target.make(tmp_path)
    refusals: list[str] = []
    for number in range(QUICK_CASES):
        (tmp_path / target.name).write_bytes(make_case(target, originals, 1, number))
        try:
            target.read(tmp_path / target.name)
        except SaysoError as error:
            refusals.append(str(error))
    assert 0 < len(refusals) < QUICK_CASES
    assert not [text for text in refusals if "\n" in text]


def test_some_damaged_streaming_forms_are_read_or_refused(tmp_path: Path) -> None:
    # In a process of its own, which onnxruntime may end.
    campaign = run_campaign("stream", seed=1, count=QUICK_CASES, folder=tmp_path)
    assert campaign.tried == QUICK_CASES
    assert not campaign.faults, str(campaign)
    assert 0 < campaign.outcomes["refused"] < QUICK_CASES


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_thousands_of_damaged_files_are_read_or_refused(name: str, tmp_path: Path) -> None:
    count, seed = int(os.environ.get("SAYSO_FUZZ_CASES", "10000")), int(os.environ.get("SAYSO_FUZZ_SEED", "0"))
    campaign = run_campaign(name, seed=seed, count=count, folder=tmp_path)
    assert campaign.tried == count
    assert not campaign.faults, str(campaign)
