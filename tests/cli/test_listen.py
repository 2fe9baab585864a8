"""`sayso listen` as one meets it: raw sound through a pipe, a microphone by a stand-in, one line for each fault."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import types

import numpy as np
import onnx
import pytest

from conftest import one_line
from microphones_made import FakePortAudio, microphone
from sayso.audio import quantise
from sayso.runtime import Stream, StreamSettings
from streams_made import RATE, export_model, sound

EAGER = ("--threshold", "0.45")
RAW = ("--input", "-", "--rate", RATE)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return export_model(tmp_path_factory.mktemp("listen")).parent


@pytest.fixture(scope="module")
def expected(model):
    stream = Stream(model, settings=StreamSettings(threshold=0.45))
    return stream.feed(quantise(sound(6)))


@pytest.fixture
def sayso(program, monkeypatch):
    """Run the program with some bytes on standard input."""

    def run(*arguments, pipe=b""):
        monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=io.BytesIO(pipe), isatty=lambda: False))
        return program("listen", *arguments)

    return run


def facts(out):
    lines = [json.loads(line) for line in out.splitlines()]
    assert all(set(line) == {"word", "score", "start", "end", "time"} for line in lines)
    return [(line["word"], line["start"], line["end"]) for line in lines]


def test_a_pipe_is_heard_as_the_stream_hears_it_without_torch(model, expected):
    code = (
        "import sys\n"
        "from sayso.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "heavy = {'torch', 'lightning', 'matplotlib', 'sounddevice', 'sayso.recipe.recipe'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    arguments = ["listen", "--model", model, *RAW, "--format", "f32le", "--json", *EAGER]
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        input=sound(6).astype("<f4").tobytes(),
        capture_output=True,
        timeout=120,
        check=False,
    )
    errors = done.stderr.decode().splitlines()
    assert done.returncode == 0, errors
    assert facts(done.stdout.decode()) == [(each.word, each.start, each.end) for each in expected]
    assert errors == [
        "listening to standard input at 16000 Hz for up, down, left; Ctrl-C ends it",
        f"heard 6.0 s: {len(expected)} detections",
    ]


@pytest.mark.parametrize("ends", ["the sound", "ctrl-c"])
def test_a_detection_is_told_before_the_sound_ends(model, expected, ends):
    """By a pipe that stays open: the line comes while it does."""
    arguments = ["listen", "--model", model, *RAW, "--json", *EAGER]
    command = [sys.executable, "-m", "sayso", *map(str, arguments)]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, **pipes) as process:
        process.stdin.write(quantise(sound(1.5)).tobytes())
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["word"] == expected[0].word
        if ends == "ctrl-c":
            process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0
        # Ctrl-C may come before all that was sent is heard.
        assert re.fullmatch(r"heard 1\.\d s: 1 detection", err.decode().splitlines()[-1])


def test_lines_for_people_commands_and_clips(sayso, model, expected, tmp_path):
    word = expected[0].word
    code = "import os; print('heard', os.environ['SAYSO_WORD'])"
    failing = "import sys; sys.exit(7)"
    python = sys.executable
    commands = [f'{word}={python} -c "{code}"', f'{word}={python} -c "{failing}"']
    options = [option for command in commands for option in ("--on-word", command)]
    pipe = quantise(sound(6)).tobytes()
    code, out, err = sayso(
        "--model", model / "model.onnx", *RAW, *EAGER, *options, "--keep", tmp_path / "kept", pipe=pipe
    )
    assert code == 0
    times = sum(each.word == word for each in expected)
    assert [line.split("  ")[1] for line in out.splitlines()] == [each.word for each in expected]
    assert out.splitlines()[0].endswith(f"({expected[0].start:.2f} to {expected[0].end:.2f} s)")
    assert err.count("ended with exit code 7") == times
    fired = len(list((tmp_path / "kept").rglob("*-fired-*.wav")))
    near = len(list((tmp_path / "kept").rglob("*-near-*.wav")))
    assert fired == len(expected)
    assert err.splitlines()[-1] == f"kept {fired} that fired and {near} that nearly did: {tmp_path / 'kept'}"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--on-word", "stop=true"], "--on-word: 'stop' is no word of this model; it has up, down, left"),
        (["--on-word", "up=no-such-program"], "there is no program 'no-such-program'; no shell reads the command"),
        (["--threshold-of", "stop=0.5"], "--threshold-of: 'stop' is no word of this model; it has up, down, left"),
        (["--threshold-of", "up"], "--threshold-of: 'up' is not WORD=SCORE"),
        (
            ["--threshold-of", "up=0.9", "--threshold-of", "up=0.1"],
            "--threshold-of: is given 2 times for 'up'; leave one",
        ),
        (["--threshold-of", "up=high"], "sayso: --threshold-of up: is 'high', must be a number"),
        (["--threshold", "70"], "sayso: --threshold: is 70, must be at most 1"),
        (["--set", "stream.margn=0.1"], "stream.margn: unknown key; did you mean 'margin'?"),
        (["--set", "training.epochs=5"], "training: is nothing that listening asks; set stream.KEY=VALUE"),
        (["--set", "stream=5"], "stream: is 5, must be a section"),
        (["--format", "mp3"], "--format: is 'mp3'; choose from"),
        (["--rate", "10"], "sayso: --rate is 10.0, must be 1000 to 768000 Hz"),
        (["--channels", "99"], "--channels: is 99, must be 1 to 64"),
        (["--input", "no-such.raw"], "no-such.raw: cannot be opened (No such file or directory)"),
        ([], "standard input: ended before any sound came"),
        (["--model", "no-such.onnx"], "no-such.onnx: no such model file"),
    ],
)
def test_what_does_not_fit_is_one_line(sayso, model, options, message):
    code, out, err = sayso("--model", model, *RAW, *options)
    assert (code, out) == (2, "")
    assert message in one_line(err)


def test_options_that_contradict_one_another_are_told(sayso, model):
    for options, message in (
        (["--input", "-"], "give --rate, such as --rate 16000"),
        (["--device", "USB", *RAW], "give --device or --input, not both"),
        (["--format", "s16le"], "give it with --input"),
    ):
        code, _, err = sayso("--model", model, *options)
        assert code == 2
        assert message in " ".join(err.split())


def test_a_terminal_is_no_sound(program, model, monkeypatch):
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=io.BytesIO(), isatty=lambda: True))
    code, _, err = program("listen", "--model", model, *RAW)
    assert code == 2
    assert "standard input is a terminal; pipe raw sound into it" in one_line(err)


def test_standard_input_may_be_closed(program, model, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    code, _, err = program("listen", "--model", model, *RAW)
    assert code == 2
    assert "standard input is closed; pipe raw sound into it" in one_line(err)


def test_a_threshold_is_that_of_all_words_or_of_one(sayso, model):
    pipe = quantise(sound(6)).tobytes()
    arguments = ("--model", model, *RAW, "--json", "--set", "stream.refractory_seconds=0")
    words = {word for word, *_ in facts(sayso(*arguments, "--threshold", "0.3", pipe=pipe)[1])}
    assert len(words) == 3
    never = [option for word in ("up", "left") for option in ("--threshold-of", f"{word}=1")]
    assert {word for word, *_ in facts(sayso(*arguments, "--threshold", "0.3", *never, pipe=pipe)[1])} == {"down"}


def test_an_older_model_is_heard_with_a_note(sayso, model, tmp_path):
    older = onnx.load(model / "model.onnx")
    kept = [entry for entry in older.metadata_props if entry.key != "stream"]
    del older.metadata_props[:]
    older.metadata_props.extend(kept)
    onnx.save(older, tmp_path / "older.onnx")
    pipe = quantise(sound(1.2)).tobytes()
    for options, taken in (((), "the defaults"), (EAGER, "those given here")):
        code, _, err = sayso("--model", tmp_path / "older.onnx", *RAW, *options, pipe=pipe)
        assert code == 0
        assert f"older.onnx has no stream settings (older export); {taken} are taken" in err


@pytest.fixture
def plugged_in(monkeypatch):
    """A microphone that says six seconds in two channels; then it is unplugged, and Ctrl-C is pressed."""
    fake = FakePortAudio(microphone("USB", rate=48_000, channels=2)).install(monkeypatch)
    fake.refused = {("channels", 1)}
    samples = np.repeat(sound(6, 48_000)[:, None], 2, axis=1)
    fake.says = [np.array_split(samples, 300)]
    monkeypatch.setattr("sayso.runtime.microphone._LOST_SECONDS", 0.01)
    monkeypatch.setattr("sayso.runtime.microphone._POLL_SECONDS", 0.01)

    def stop():
        raise KeyboardInterrupt

    monkeypatch.setattr(fake, "_terminate", stop)
    return fake


def test_a_microphone_is_heard_until_ctrl_c(sayso, model, plugged_in):
    stream = Stream(model, sample_rate=48_000, settings=StreamSettings(threshold=0.45))
    found = stream.feed(sound(6, 48_000))
    code, out, err = sayso("--model", model, "--json", *EAGER)
    assert code == 0
    assert facts(out) == [(each.word, each.start, each.end) for each in found]
    assert err.splitlines() == [
        "listening to USB at 48000 Hz for up, down, left; Ctrl-C ends it",
        "note: USB gives no sound any more; unplugged? It is tried again every 2 s",
        f"heard 6.0 s: {len(found)} detections",
    ]


def test_a_microphone_that_is_not_there_is_one_line(sayso, model, plugged_in):
    code, _, err = sayso("--model", model, "--device", "XLR")
    assert (code, one_line(err)) == (2, "sayso: no microphone is called 'XLR'; there are: 0 USB")


def test_without_a_microphone_it_says_how_sound_is_piped_in(sayso, model, plugged_in):
    plugged_in.devices = []
    plugged_in._initialize()
    code, _, err = sayso("--model", model)
    assert code == 2
    assert (
        f"plug one in, or pipe sound in: arecord -t raw -f S16_LE -r 16000 | sayso listen --model {model} --input -"
        in one_line(err)
    )


def test_on_a_terminal_there_are_bars_and_the_detections_above_them(model, expected):
    pty = pytest.importorskip("pty")
    reading, writing = pty.openpty()
    arguments = ["listen", "--model", model, *RAW, *EAGER]
    command = [sys.executable, "-m", "sayso", *map(str, arguments)]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "100", "LINES": "40"}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=writing, stderr=writing, env=environment) as process:
        os.close(writing)
        assert process.stdin
        process.stdin.write(quantise(sound(6)).tobytes())
        process.stdin.close()
        shown = b""
        while True:
            try:
                more = os.read(reading, 1 << 16)
            except OSError:  # Linux ends a terminal so
                break
            if not more:
                break
            shown += more
        assert process.wait(60) == 0
    os.close(reading)
    text = shown.decode()
    assert "level" in text
    assert f"{expected[-1].word}  {100 * expected[-1].score:.1f} %" in text
    assert "heard 6.0 s" in text
