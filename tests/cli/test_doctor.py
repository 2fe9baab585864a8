"""What `sayso doctor` says of the machine."""

import pytest

WITHOUT = "bc_resnet trains less than half as fast"


@pytest.mark.parametrize(
    ("command", "works", "said"),
    [
        (None, False, f"none: {WITHOUT}"),
        (("ccache", "odd-cc"), False, f"ccache odd-cc, which cannot compile for it: {WITHOUT}"),
        (("cc",), True, "cc"),
    ],
)
def test_doctor_says_whether_layers_are_compiled(program, monkeypatch, command, works, said):
    monkeypatch.setattr("sayso.system.compiled.find_compiler", lambda: command)
    monkeypatch.setattr("sayso.dsp.normalised.compiled.is_compiled", lambda: works)
    code, out, _ = program("doctor")
    assert code == 0
    assert f"C compiler   {said}\n" in out
