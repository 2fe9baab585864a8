"""Waiting is said before it is waited for."""

import pytest

from sayso.cli.console import Bars
from sayso.system.progress import Forecast


class Clock:
    """Time that passes when it is told to."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def said(total, *advances):
    """What is said at each advance, given as seconds that pass and steps that are done then."""
    clock = Clock()
    forecast = Forecast(total, clock=clock)
    answers = []
    for seconds, steps in advances:
        clock.now += seconds
        answers.append(forecast.advance(steps))
    return answers


def test_a_slow_task_says_so_after_its_first_step():
    assert said(41, (30, 1), (30, 1)) == ["about 20 minutes", None]


def test_what_is_done_once_before_the_first_of_many_steps_is_no_pace():
    answers = said(1000, (30, 1), *[(0.5, 1)] * 10)
    assert [answer for answer in answers if answer] == ["about 8 minutes"]


def test_a_quick_one_as_soon_as_its_pace_is_known_and_only_once():
    answers = said(12_000, *[(0.1, 1)] * 100)
    assert [answer for answer in answers if answer] == ["about 20 minutes"]
    assert answers.index("about 20 minutes") < 30


def test_what_was_done_before_is_no_pace():
    assert said(1000, (0.01, 900), (30, 1)) == [None, "about 50 minutes"]


@pytest.mark.parametrize("total", [None, 0, 3])
def test_of_what_takes_seconds_or_is_not_known_nothing_is_said(total):
    assert said(total, (10, 1), (10, 1), (10, 1)) == [None] * 3


def test_the_program_says_it(monkeypatch, capsys):
    clock = Clock()
    monkeypatch.setattr("sayso.cli.console.Forecast", lambda total: Forecast(total, clock=clock))
    with Bars().task("training", total=400, unit="steps") as task:
        clock.now += 3
        task.advance()
        clock.now += 3
        task.advance()
    assert capsys.readouterr().err == "training: about 20 minutes\n"
