"""Commands of words: told at once where they cannot be, run without a shell and without being waited for."""

import sys

import pytest

from sayso.errors import SettingsError
from sayso.runtime import Detection
from sayso.runtime.commands import Commands, parse_commands

WORDS = ("lights on", "a=b", "stop")
HEARD = Detection("lights on", 0.91234, 1.0, 2.08)


def python(code):
    return [sys.executable, "-c", code]


def test_a_command_is_divided_as_a_shell_would():
    found = parse_commands(["lights on=say 'it is on' $HOME", "a=b=x=1", "lights on=second"], WORDS)
    assert found == {"lights on": [["say", "it is on", "$HOME"], ["second"]], "a=b": [["x=1"]]}


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(SettingsError) as caught:
        parse_commands(["light on=say", "stop", "stop=", "stop=say 'it"], WORDS)
    assert str(caught.value).split("; --on-word: ") == [
        "--on-word: 'light on' is no word of this model; it has lights on, a=b, stop",
        "'stop' is not WORD=COMMAND",
        "'stop=' has no command after the =",
        "'stop=say 'it' cannot be divided into words (No closing quotation)",
    ]


def test_a_program_that_is_not_there_is_told_at_the_start_and_when_it_went_later():
    told: list[str] = []
    commands = Commands({"stop": [["no-such-program-here"]]}, told.append)
    with pytest.raises(SettingsError, match="there is no program 'no-such-program-here'; no shell reads"):
        commands.check()
    commands.run(Detection("stop", 1.0, 0.0, 1.0))
    assert told == ["'no-such-program-here' cannot be run: No such file or directory"]


def test_a_command_gets_the_facts_and_prints_where_errors_go(capfd):
    code = "import os; print([os.environ['SAYSO_' + name] for name in ('WORD', 'SCORE', 'START', 'END')])"
    commands = Commands({"lights on": [python(code)]}, print)
    commands.run(HEARD)
    commands.run(Detection("stop", 1.0, 0.0, 1.0))
    commands.finish(30)
    assert capfd.readouterr() == ("", "['lights on', '0.9123', '1.000', '2.080']\n")


def test_a_failure_is_told_when_it_is_known_and_nobody_waits_for_it(tmp_path):
    told: list[str] = []
    gate = tmp_path / "gate"
    code = f"import pathlib, sys, time\nwhile not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.01)\nsys.exit(3)"
    commands = Commands({"lights on": [python(code)]}, told.append)
    commands.run(HEARD)  # would wait for ever, if it waited
    commands.look()
    assert told == []
    gate.touch()
    commands.finish(30)
    assert [line.rpartition("' ended with ")[2] for line in told] == ["exit code 3"]


def test_commands_do_not_pile_up(monkeypatch, tmp_path):
    monkeypatch.setattr("sayso.runtime.commands._MOST_RUNNING", 2)
    told: list[str] = []
    gate = tmp_path / "gate"
    code = f"import pathlib, time\nwhile not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.01)"
    commands = Commands({"lights on": [python(code)]}, told.append)
    for _ in range(4):
        commands.run(HEARD)
    assert [line.rpartition("' is not run: ")[2] for line in told] == [
        "2 commands run already and have not ended",
        "2 commands run already and have not ended",
    ]
    commands.finish(0)  # would wait for ever, if it waited
    gate.touch()
    commands.finish(30)
    commands.run(HEARD)
    commands.finish(30)
    assert len(told) == 2
