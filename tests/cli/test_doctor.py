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


@pytest.mark.parametrize(("lack", "said"), [("", "here"), ("PortAudio is missing", "here, but PortAudio is missing")])
def test_doctor_says_whether_microphones_can_be_heard(program, monkeypatch, lack, said):
    monkeypatch.setattr("sayso.cli.doctor.find_spec", lambda name: name == "sounddevice")
    monkeypatch.setattr("sayso.runtime.microphone.find_lack", lambda: lack)
    _, out, _ = program("doctor")
    assert f"extra mic     {said}\n" in out
