"""Terminal, report and studio say the same of what would help a run most."""

import html

import pytest

pytest.importorskip("starlette", reason="needs the extra serve")

from conftest import write_tones
from runs_made import small_run
from sayso.cli.results import show_run
from studio_made import make_studio


def test_a_run_s_advice_is_the_same_in_terminal_report_and_studio(tmp_path, capsys):
    run = small_run(write_tones(tmp_path / "tones", speakers=("anna", "ben")), tmp_path / "runs" / "first")
    advice = run.manifest()["advice"]
    assert advice["most"][0].startswith("A closer look at the recordings: a quick look found near-duplicates in ")
    assert advice["most"][1] == "3 more people, 8 clips of each word each: so far 2 people recorded."
    assert "sayso learning-curve " in advice["basis"]
    show_run(run)
    terminal = capsys.readouterr().out
    report = run.report.read_text(encoding="utf-8")
    studio = make_studio(tmp_path)[1].get("/api/runs/first").json()
    assert studio["advice"] == advice["most"]
    assert studio["advice_basis"] == advice["basis"]
    for sentence in (*advice["most"], advice["basis"]):
        assert sentence in terminal
        assert sentence in html.unescape(report)
