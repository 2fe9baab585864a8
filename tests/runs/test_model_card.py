"""Model cards: what stands in them is what the run's files say, and nobody is named."""

import copy
import re

import pytest
import yaml

from sayso.runs.model_card import VOICES_LICENCE, make_card
from sayso.runs.sharing import LEFT_OUT, without_names

RECIPE = {
    "dataset": {"kind": "folder", "path": "/home/anna/clips", "exclude": "bad.csv", "speaker": "auto"},
    "split": {"by": "speakers", "test_speakers": ["anna"]},
    "audio": {"sample_rate": 16000, "clip_seconds": 1.5},
    "features": {"kind": "speech_embedding"},
    "model": {"kind": "pooled_mlp"},
    "rejection": {"negatives": [{"kind": "other_words", "wanted": ["on"]}], "recordings": ["talk of anna"]},
}
ROW = {"n": 4, "accuracy": 0.75, "accuracy_ci95": [0.301, 0.954]}
METRICS = {
    "labels": ["on", "off"],
    "parameters": 12345,
    "test": {
        "n": 8,
        "accuracy": 0.875,
        "accuracy_ci95": [0.529, 0.978],
        "speaker_accuracy_ci95": [0.41, 0.99],
        "speakers": 2,
        "ece": 0.0512,
        "per_class": {
            "on": {"n": 4, "recall": 1.0, "precision": 0.8},
            "off": {"n": 4, "recall": 0.0, "precision": None},
        },
        "per_speaker": {"ben": ROW | {"accuracy": 1.0}, "anna": ROW},
    },
    "calibration": {"temperature": 1.25},
    "rejection": {
        "threshold": 0.625,
        "threshold_from": "model",
        "false_accept": {"rate": 0.031, "ci95": [0.01, 0.09], "speaker_ci95": None, "n": 129},
    },
}
MANIFEST = {
    "split": "speakers",
    "speakers_shared": 0,
    "clips": {"train": 1200, "validation": 40, "test": 8},
    "leakage": {"same_samples": [], "near_copies": [["anna/1.wav", "anna/2.wav"]]},
    "versions": {"sayso": "0.1.0"},
    "seed": 3,
    "data_hash": "abc",
    "notes": ["clip anna/1.wav is silent"],
    "credit": "Somebody's weights, Apache-2.0",
}


@pytest.mark.parametrize(
    "told",
    [
        "# Model card: 2 spoken words",
        "clips of 1.5 s at 16000 Hz",
        "no word has a probability of 0.625",
        "12,345 parameters",
        "- the words: own recordings, under the terms of who made them",
        "- none of the words: synthetic voices of espeak-ng, a GPL-3 program",
        VOICES_LICENCE,
        "- pretrained weights, modified: Somebody's weights, Apache-2.0",
        "- speakers split: no speakers shared",
        "- training: 1,200 clips",
        "test clips that training or validation holds too: 0 by the same samples, 1 as a near copy",
        "| all | 8 | 87.5 % | 52.9 to 97.8 | 41.0 to 99.0 |",
        "off by 5.1 % on average (expected calibration error, after the temperature 1.250)",
        "| off | 4 | 0.0 % | - |",
        "| 1 | 4 | 75.0 % | 30.1 to 95.4 |\n| 2 | 4 | 100.0 % |",
        "- clips of unknown words taken for a word: 3.1 % of 129 (95 % interval over clips 1.0 to 9.0)",
        "on streams: not measured",
        "- never recognised in the test: off",
        "- 1 note of the run is left out here",
        "sayso train recipe.yaml",
        "With seed 3; SHA-256 of the clips abc.",
    ],
)
def test_the_card_says_what_the_files_say(told):
    assert told in make_card(RECIPE, MANIFEST, METRICS)


def test_nobody_is_named_unless_that_is_asked_for():
    card = make_card(RECIPE, MANIFEST, METRICS)
    assert not re.search(r"anna|ben\b|bad\.csv|/home", card)
    named = make_card(RECIPE, MANIFEST, METRICS, names=True)
    for name in (
        "| anna | 4 | 75.0 % |",
        "path: /home/anna/clips",
        "- clip anna/1.wav is silent",
        "test_speakers: [anna]",
    ):
        assert name in named
    kept = yaml.safe_load(card.split("```yaml\n")[1].split("```")[0])
    assert kept == without_names(RECIPE)
    assert kept["audio"] == RECIPE["audio"]
    assert kept["split"] == {"by": "speakers", "test_speakers": [LEFT_OUT]}


def test_what_was_tuned_mixed_adapted_or_shared_is_told():
    manifest = MANIFEST | {
        "speakers_shared": 2,
        "adapted_from": {"run": "old"},
        "tuned": {
            "false_alarms_per_hour": 0.5,
            "replayed_hours": 4.0,
            "independent_hours": 2.0,
            "background": "3 recordings (2 h); white noise beneath",
        },
    }
    recipe = copy.deepcopy(RECIPE)
    recipe["dataset"] = {"kind": "mixed", "recordings": {"kind": "fsdd"}, "training": [{"kind": "synthetic"}]}
    card = make_card(recipe, manifest, METRICS)
    assert "chosen for 0.5 false alarms of a word an hour, over 4 h (2 h independent) of 3 recordings (2 h)" in card
    assert "sayso tune RUN --false-alarms-per-hour 0.5 --write" in card
    assert "sayso adapt RUN CLIPS" in card
    assert "test speakers were heard in training" in card
    assert "- the words: Free Spoken Digit Dataset (Z. Jakobovski and others), CC BY-SA 4.0" in card
    assert "- the words, for training alone: synthetic voices of espeak-ng, a GPL-3 program" in card


def test_words_that_markdown_knows_stay_words():
    test = METRICS["test"] | {"per_class": {"a|b\nc": {"n": 1, "recall": 1.0, "precision": 1.0}}}
    assert "| a\\|b c | 1 | 100.0 % | 100.0 % |" in make_card(RECIPE, MANIFEST, METRICS | {"test": test})


def test_a_source_of_a_package_that_is_not_here_is_named():
    card = make_card(RECIPE | {"dataset": {"kind": "elsewhere"}}, MANIFEST, METRICS)
    assert "- the words: 'elsewhere', under the terms of who made it" in card
