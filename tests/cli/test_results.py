"""Scores as the program prints them."""

import io
import json
import sys
from pathlib import Path

import pytest

from sayso.cli.console import Bars, print_any_name, say, say_json, warn
from sayso.cli.results import say_where, show_notes, show_scores
from sayso.runs.folder import RunFolder


def test_a_word_that_is_never_recognised_stands_under_the_score(capsys):
    words = {"on": {"n": 20, "recall": 1.0, "precision": 0.909}, "off": {"n": 2, "recall": 0.0, "precision": None}}
    scores = {
        "accuracy": 20 / 22,
        "accuracy_ci95": [0.722, 0.975],
        "n": 22,
        "loss": 0.3,
        "ece": 0.1,
        "per_class": words,
        "per_speaker": {},
    }
    show_scores(scores, "over 3 people, each unheard in turn")
    first, second = capsys.readouterr().out.splitlines()[:2]
    assert first.startswith("over 3 people, each unheard in turn: 90.9 % of 22 clips right (95 % interval over clips")
    assert second == "'off' is never recognised (0 of 2 clips)"


def test_how_to_try_a_run_can_be_pasted(capsys):
    for folder, shown in (("runs/tones", "runs/tones"), ("my run", "'my run'")):
        say_where(RunFolder(Path(folder)))
        assert capsys.readouterr().out.endswith(f"try it       sayso predict FILE.wav --model {shown}\n")


@pytest.mark.parametrize(
    ("errors", "shown"), [("surrogateescape", rb"caf\xe9 \u2013 \udcff"), ("replace", b"caf? ? ?")]
)
def test_where_text_is_ascii_what_it_lacks_is_spelt(monkeypatch, errors, shown):
    """As with PYTHONUTF8=0 in the C locale, where the first is what Python opens."""
    printed = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(printed, "ascii", errors))
    print_any_name()
    say("café \u2013 \udcff")
    sys.stdout.flush()
    assert printed.getvalue() == shown + b"\n"


def test_a_name_gives_a_terminal_no_orders(capsys):
    say("hi\x1b[31mgh\x9b2J (34.3 %)\tand\nmore")
    warn("note: \x07")
    say_json({"word": "hi\x1b[31mgh\x9b"}, indent=None)
    out, err = capsys.readouterr()
    assert out.startswith("hi\\x1b[31mgh\\x9b2J (34.3 %)\tand\nmore\n")
    assert json.loads(out.splitlines()[-1]) == {"word": "hi\x1b[31mgh\x9b"}
    assert err == "note: \\x07\n"


@pytest.mark.parametrize("on_a_terminal", [True, False])
def test_what_was_read_before_the_training_is_not_told_again(capsys, monkeypatch, on_a_terminal):
    Bars().note("of the recipe")
    for stream in (sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: on_a_terminal)
    show_notes(["of the recipe", "of the training"])
    told = capsys.readouterr().out.splitlines()
    again = ["note         of the recipe", "note         of the training"]
    once = ["note         of the training", "notes        1 above, which the report has too"]
    assert told == (once if on_a_terminal else again)


def test_a_note_is_one_line_whatever_is_named_in_it(capsys):
    Bars().note("two\nlines.wav is quiet")
    show_notes(["new\nlines.wav"])
    assert tuple(capsys.readouterr()) == ("note         new\\nlines.wav\n", "note: two\\nlines.wav is quiet\n")
