"""Recordings whose tones are known in advance: what is found in them, and what that is worth."""

import gc
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from conftest import one_line
from sayso.audio import SoundBlocks, read_sound
from sayso.errors import AudioError
from sayso.runtime import Recognizer, Stream
from sayso.studies.spotting.spot import spot
from tone_model_made import PITCHES, make_tone_model, recording, write_recording

Program = Callable[..., tuple[int, str, str]]
SAID = [("low", 2.0), ("high", 5.0), ("low", 9.0), ("high", 20.0)]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_tone_model(tmp_path / "model.onnx")


@pytest.fixture
def long(tmp_path: Path) -> Path:
    return write_recording(tmp_path / "sounds" / "long.wav", 100.0, SAID)


def labels(path: Path, *said: tuple[str, float]) -> Path:
    path.write_text("".join(f"{start}\t{start + 0.4}\t{word}\n" for word, start in said))
    return path


def test_words_are_found_where_they_are(model: Path, long: Path) -> None:
    found = spot([long], Recognizer(model))
    assert [one.word for one in found.files[0].detections] == [word for word, _ in SAID]
    for one, (_, start) in zip(found.files[0].detections, SAID, strict=True):
        assert start + 0.2 < one.end < start + 0.7
    assert found.scores is None
    assert found.hours == pytest.approx(100 / 3600)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_detections_are_those_of_the_whole_stream(tmp_path: Path, model: Path, rate: int) -> None:
    path = write_recording(tmp_path / "a.wav", 70.0, SAID, rate=rate)
    stream = Stream(model, sample_rate=rate)
    whole = [*stream.feed(soundfile.read(path, dtype="float32")[0]), *stream.flush()]
    spotted = spot([path], Recognizer(model)).files[0]
    assert list(spotted.detections) == whole
    assert len(whole) == 4
    assert (spotted.delay_seconds > 0) == (rate != 16_000)


def test_what_is_found_is_held_against_what_was_said(tmp_path: Path, model: Path, long: Path) -> None:
    # Of the four tones one is not in the labels; one label has no tone, and one is another word.
    truth = labels(tmp_path / "said.txt", ("low", 2.0), ("low", 5.0), ("low", 9.0), ("high", 50.0))
    found = spot([long], Recognizer(model), truth=truth)
    outcome = found.files[0].heard.outcome
    assert [hit.stretch for hit in outcome.hits] == [0, 2]
    assert [(alarm.firing, alarm.during) for alarm in outcome.alarms] == [(1, "low"), (3, None)]
    assert [(one.label, one.start) for one in found.files[0].misses] == [("low", 5.0), ("high", 50.0)]
    assert found.scores["misses"]["missed"] == 2
    assert found.scores["alarms"]["per_hour"] == pytest.approx(72)
    assert abs(found.scores["latency"]["median"]) < 0.3


def test_other_speech_is_no_miss(tmp_path: Path, model: Path, long: Path) -> None:
    truth = labels(tmp_path / "said.txt", *SAID, ("hello", 30.0))
    found = spot([long], Recognizer(model), truth=truth, ignore_unknown=True)
    assert found.files[0].misses == ()
    assert found.scores["misses"]["n"] == 4


def test_the_delay_of_resampling_counts_as_latency(tmp_path: Path, model: Path) -> None:
    path = write_recording(tmp_path / "a.wav", 20.0, SAID[:1], rate=8_000)
    found = spot([path], Recognizer(model), truth=labels(tmp_path / "a.txt", *SAID[:1])).files[0]
    assert found.heard.outcome.hits[0].latency == pytest.approx(found.detections[0].end + found.delay_seconds - 2.4)


def test_folders_are_taken_with_all_below_and_no_file_twice(tmp_path: Path, model: Path, long: Path) -> None:
    write_recording(tmp_path / "sounds" / "sub" / "b.flac", 12.0, SAID[:2])
    write_recording(tmp_path / "sounds" / "_background_noise_" / "c.wav", 12.0, [])
    (tmp_path / "sounds" / "readme.txt").write_text("no sound")
    found = spot([long, tmp_path / "sounds", long], Recognizer(model))
    assert [(Path(one.path).name, len(one.detections)) for one in found.files] == [
        ("long.wav", 4),
        ("c.wav", 0),
        ("b.flac", 2),
    ]


def test_ctrl_c_keeps_what_was_found(tmp_path: Path, model: Path, long: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = write_recording(tmp_path / "short.wav", 12.0, SAID[:2])
    blocks = SoundBlocks.__iter__

    def stopped(self: SoundBlocks) -> object:
        for place, block in enumerate(blocks(self)):
            if place == 3:
                raise KeyboardInterrupt
            yield block

    monkeypatch.setattr(SoundBlocks, "__iter__", stopped)
    truth = tmp_path / "said.csv"
    truth.write_text("path,label,start,end\nshort.wav,low,2,2.4\nsounds/long.wav,high,60,60.4\n")
    found = spot([short, long, short.with_name("never.wav")], Recognizer(model), truth=truth)
    assert found.is_stopped
    assert [(one.heard_seconds, len(one.detections)) for one in found.files] == [(12.0, 2), (30.0, 4)]
    # Nobody knows whether the word at 60 s would have been found.
    assert found.files[1].heard is None
    assert found.scores["misses"]["n"] == 1


# ---- the program


def test_the_table_names_times_words_and_verdicts(program: Program, tmp_path: Path, model: Path, long: Path) -> None:
    truth = labels(tmp_path / "said.txt", ("low", 2.0), ("low", 9.0), ("high", 50.0))
    code, out, err = program("spot", long, "--model", model, "--truth", truth)
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert (code, lines[0]) == (0, f"{long} (0:01:40.00): 4 detections")
    assert [lines[row].split(maxsplit=2)[2].split(" % ")[-1] for row in (2, 4, 5)] == [
        "false alarm",
        "false alarm",
        "missed",
    ]
    assert lines[1].startswith("0:00:02.")
    assert "low" in lines[1]
    assert [line.split(" % ")[-1].startswith("hit, ") for line in lines[1:6]] == [True, False, True, False, False]
    assert any(line.startswith("missed 1 of 3 words, 33.3 % (95 % interval over words: ") for line in lines)
    assert any(line.startswith("false alarms 2 in 0.03 h, 72 an hour (95 % interval were they") for line in lines)
    assert any(line.startswith("latency median ") for line in lines)
    assert "there is no stream.onnx beside the model" in err


def test_json_holds_everything(program: Program, tmp_path: Path, model: Path, long: Path) -> None:
    truth = labels(tmp_path / "said.txt", ("low", 2.0), ("high", 50.0))
    code, out, _ = program("spot", long, "--model", model, "--truth", truth, "--json", "--threshold-of", "high=0.9")
    facts = json.loads(out)
    assert code == 0
    (one,) = facts["files"]
    assert [(row["word"], row["hit"]) for row in one["detections"]] == [
        ("low", True),
        ("high", False),
        ("low", False),
        ("high", False),
    ]
    assert one["misses"] == [{"word": "high", "start": 50.0, "end": 50.4}]
    assert facts["scores"]["alarms"]["n"] == 3
    assert facts["scores"]["alarms"]["poisson_ci95"][0] < 108 < facts["scores"]["alarms"]["poisson_ci95"][1]
    assert facts["stream"]["thresholds"] == [{"word": "high", "threshold": 0.9}]
    assert (facts["words"], facts["stopped"], facts["failed"]) == (list(PITCHES), False, [])


def test_without_truth_there_are_no_scores(program: Program, model: Path, long: Path) -> None:
    code, out, _ = program("spot", long, "--model", model, "--json")
    assert code == 0
    assert "scores" not in json.loads(out)
    assert program("spot", long, "--model", model)[1].rstrip().endswith("4 detections in 1 file, 0.03 h")


def test_a_higher_threshold_finds_less(program: Program, tmp_path: Path, model: Path) -> None:
    path = tmp_path / "faint.wav"
    soundfile.write(path, 0.8 * recording(10.0, [("low", 3.0)]), 16_000)
    found = [program("spot", path, "--model", model, "--json", "--threshold", least)[1] for least in ("0.3", "0.95")]
    assert [len(json.loads(out)["files"][0]["detections"]) for out in found] == [1, 0]


def test_files_that_cannot_be_read_are_named_and_the_others_are_heard(
    program: Program, tmp_path: Path, model: Path, long: Path
) -> None:
    (tmp_path / "text.wav").write_text("no sound")
    code, out, err = program("spot", tmp_path / "text.wav", tmp_path / "none.wav", long, "--model", model)
    assert code == 2
    assert "4 detections in 1 file" in out
    told = [line for line in err.splitlines() if line.startswith("sayso: ")]
    assert told == [
        f"sayso: {tmp_path / 'text.wav'}: cannot be read as sound: another kind of file, damaged, or cut short",
        f"sayso: {tmp_path / 'none.wav'}: no such file",
    ]


def test_what_a_damaged_file_holds_before_its_damage_is_kept(
    program: Program, tmp_path: Path, model: Path, long: Path
) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, recording(90.0, SAID), 16_000)
    path.write_bytes(path.read_bytes()[:-40_000])
    with pytest.raises(AudioError) as refused:
        read_sound(path)
    truth = tmp_path / "said.csv"
    truth.write_text("path,label,start,end\na.flac,low,2,2.4\nsounds/long.wav,low,2,2.4\n")
    code, out, err = program("spot", path, long, "--model", model, "--truth", truth)
    assert code == 2
    assert one_line(err) == f"sayso: {refused.value}"
    assert f"{path} (0:01:30.00, as far as 0:01:" in out
    assert out.splitlines()[0].endswith(": 4 detections")
    # Only the whole one counts.
    assert "missed        0 of 1 word" in out


def test_what_breaks_off_keeps_nothing_alive(tmp_path: Path, model: Path) -> None:
    faint = write_recording(tmp_path / "a.wav", 2.0, [], rate=8_000)
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 8_000)
    gc.collect()
    gc.disable()  # what only it could free would be told of when the process ends
    try:
        before = _count_resamplers()
        found = spot([faint, tmp_path / "empty.wav"], Recognizer(model))
        assert found.failed == ((str(tmp_path / "empty.wav"), f"{tmp_path / 'empty.wav'}: holds no sound"),)
        assert _count_resamplers() == before
    finally:
        gc.enable()


def _count_resamplers() -> int:
    return sum(issubclass(type(each), soxr.ResampleStream) for each in gc.get_objects())


def test_no_detection_ends_behind_the_file(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_recording(tmp_path / "a.wav", 70.0, SAID)
    feed = Stream.feed
    # As of a model that does not hear the last samples of its windows, and so knows a word before the window is over.
    late = lambda stream, samples: [replace(each, end=each.end + 60) for each in feed(stream, samples)]  # noqa: E731
    monkeypatch.setattr(Stream, "feed", late)
    ends = [each.end for each in spot([path], Recognizer(model)).files[0].detections]
    assert ends[0] == pytest.approx(62.4, abs=0.3)
    assert (ends[2] < 70, ends[3]) == (True, 70)


def test_a_number_that_is_none_does_not_cost_the_recording(program: Program, tmp_path: Path, model: Path) -> None:
    samples = recording(12.0, SAID[:2])
    samples[50_000] = np.nan
    soundfile.write(tmp_path / "a.wav", samples, 16_000, subtype="FLOAT")
    code, out, err = program("spot", tmp_path / "a.wav", "--model", model)
    assert (code, "2 detections in 1 file" in out) == (0, True)
    assert f"note: {tmp_path / 'a.wav'}: 1 sample that is no number (NaN or infinite) became silence\n" in err


def test_an_odd_name_is_one_line(program: Program, tmp_path: Path, model: Path) -> None:
    write_recording(tmp_path / "two\nlines.wav", 0.5, [])
    _, out, err = program("spot", tmp_path / "two\nlines.wav", "--model", model)
    assert rf"{tmp_path}/two\nlines.wav (0:00:00.50): 0 detections" in out.splitlines()
    assert rf"note: {tmp_path}/two\nlines.wav: shorter than the 1 s" in err


def test_a_file_shorter_than_a_window_is_told(program: Program, tmp_path: Path, model: Path) -> None:
    path = write_recording(tmp_path / "a.wav", 0.5, [("low", 0.05)])
    code, _, err = program("spot", path, "--model", model)
    assert code == 0
    assert "shorter than the 1 s that the model hears at once, so that nothing can be found" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--threshold-of", "stop=0.5"], "'stop' is no word of this model; it has low, high"),
        (["--within", "3"], "--within and --ignore-unknown are about what was said; give it by --truth"),
        (["--ignore-unknown"], "give it by --truth"),
        (["--threshold", "1.5"], "must be at most 1"),
        (["--set", "stream.smooth=3"], "smooth"),
        (["--truth", "none.csv"], "sayso: none.csv: no such file or folder"),
        (["--truth", "none.txt"], "sayso: none.txt: no such file or folder"),
    ],
)
def test_options_that_do_not_fit_are_one_line(
    program: Program, model: Path, long: Path, arguments: list[str], said: str
) -> None:
    code, _, err = program("spot", long, "--model", model, *arguments)
    assert code == 2
    assert said in one_line(err)


def test_a_folder_without_sound_is_told(program: Program, tmp_path: Path, model: Path) -> None:
    (tmp_path / "nothing").mkdir()
    code, _, err = program("spot", tmp_path / "nothing", "--model", model)
    assert (code, one_line(err)) == (
        2,
        f"sayso: {tmp_path / 'nothing'}: no sound files in this folder, nor in those below",
    )


# ---- the page


def test_the_page_has_every_error_to_hear(program: Program, tmp_path: Path, model: Path, long: Path) -> None:
    truth = labels(tmp_path / "said.txt", ("low", 2.0), ("low", 5.0), ("high", 50.0))
    out = tmp_path / "page"
    code, said, _ = program("spot", long, "--model", model, "--truth", truth, "--out", out)
    assert code == 0
    assert said.rstrip().endswith(str(out / "spotting.html"))
    page = (out / "spotting.html").read_text()
    # Three false alarms and two misses, each with a sound and a picture.
    assert page.count("<audio") == page.count('src="data:audio/flac') == page.count("<img") == 5
    assert "“low” was said" in page
    assert "66.7" in page
    assert {path.name for path in (out / "figures").iterdir()} == {"spotting-timeline.svg", "spotting-latency.svg"}
    assert json.loads((out / "spotting.json").read_text())["scores"]["alarms"]["n"] == 3


def test_a_page_without_a_hit_and_one_without_a_recording_are_made(
    program: Program, tmp_path: Path, model: Path, long: Path
) -> None:
    missed = spot([long], Recognizer(model), truth=labels(tmp_path / "said.txt", ("low", 50.0)), out=tmp_path / "page")
    assert missed.folder
    assert "How soon" not in (missed.folder / "spotting.html").read_text()
    (tmp_path / "bad.wav").write_bytes(b"no sound")
    code, _, err = program("spot", tmp_path / "bad.wav", "--model", model, "--out", tmp_path / "none")
    assert code == 2
    assert "bad.wav: cannot be read as sound" in one_line(err)
    assert "<figure" not in (tmp_path / "none" / "spotting.html").read_text()


def test_without_truth_the_page_has_every_detection(tmp_path: Path, model: Path, long: Path) -> None:
    found = spot([long], Recognizer(model), out=tmp_path / "page")
    page = (found.folder / "spotting.html").read_text()
    assert page.count("<audio") == 4
    assert "nobody can tell how many are right" in page
    assert not (found.folder / "figures" / "spotting-latency.svg").exists()


def test_a_folder_that_is_taken_is_told_before_anything_is_heard(
    program: Program, tmp_path: Path, model: Path, long: Path
) -> None:
    code, out, err = program("spot", long, "--model", model, "--out", tmp_path / "sounds")
    assert (code, out) == (2, "")
    assert "sounds" in one_line(err)


def test_a_page_of_very_many_sounds_says_how_many_it_leaves_out(
    tmp_path: Path, model: Path, long: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sayso.studies.spotting.page.MOST_SOUNDS", 3)
    page = (spot([long], Recognizer(model), out=tmp_path / "page").folder / "spotting.html").read_text()
    assert page.count("<audio") == 3
    assert "The first 3 are here, 1 more in" in page


def test_memory_does_not_grow_with_the_recording(tmp_path: Path, model: Path) -> None:
    import tracemalloc

    def peak(seconds: float) -> int:
        path = tmp_path / f"{seconds}.wav"
        soundfile.write(path, np.tile(recording(30.0, SAID), round(seconds / 30)), 16_000)
        recognizer = Recognizer(model)
        tracemalloc.start()
        spot([path], recognizer)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(600.0) < 1.1 * peak(90.0)
