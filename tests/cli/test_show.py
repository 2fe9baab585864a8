"""`sayso show` as a person meets it: files where it says, and one line for what cannot be drawn."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from conftest import one_line, write_tones


@pytest.fixture
def show(program, monkeypatch, tmp_path):
    """Run `sayso show` in an empty folder; gives exit code, lines of output, standard error."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)

    def run(*arguments):
        code, out, err = program("show", *arguments)
        return code, out.splitlines(), err

    return run


@pytest.fixture
def clip(tone_folder):
    return min(tone_folder.rglob("*.wav"))


def test_a_clip_on_one_sheet_in_the_folder_pictures(show, clip):
    code, lines, _ = show("clip", clip)
    assert code == 0
    assert lines == [str(Path("pictures") / f"high-{clip.stem}-sheet.svg")]
    assert ElementTree.parse(lines[0]).getroot().tag.endswith("svg")


def test_views_one_by_one_as_png(show, clip, tmp_path):
    code, lines, _ = show(
        "clip", clip, "--only", "dft", "--only", "spectrogram", "--power", 0.5, "--out", tmp_path, "--format", "png"
    )
    assert code == 0
    assert [Path(line).name for line in lines] == [f"high-{clip.stem}-dft.png", f"high-{clip.stem}-spectrogram.png"]
    assert all(Path(line).read_bytes().startswith(b"\x89PNG") for line in lines)


def test_features_dataset_and_run(show, tmp_path, made_run):
    folder = write_tones(tmp_path / "clips" / "tones")
    for arguments, name in (
        (("features", "mel"), "mel-filter-bank.svg"),
        (("dataset", folder, "--rows", 2), "clips-tones-spectrograms.svg"),
        (("run", made_run("one")), "one-alluvial.svg"),
        (("run", made_run("one"), made_run("two")), "one-and-two-alluvial.svg"),
    ):
        code, lines, _ = show(*arguments)
        assert code == 0
        assert name in [Path(line).name for line in lines]
        assert all(ElementTree.parse(line).getroot().tag.endswith("svg") for line in lines)


def test_recipes_of_one_name_in_two_folders_do_not_take_each_others_place(show, tmp_path):
    names = []
    for folder, kind in (("a", "mel"), ("b", "waveform")):
        recipe = tmp_path / folder / "quick.yaml"
        recipe.parent.mkdir()
        recipe.write_text(f"dataset: {{kind: fsdd}}\nfeatures: {{kind: {kind}}}\nmodel: {{kind: tc_resnet}}\n")
        names += [Path(line).name for line in show("features", recipe)[1]]
    assert {name.partition("-quick-")[0] for name in names} == {"a", "b"}
    assert len(list(Path("pictures").iterdir())) == len(names)


def test_features_of_a_recipe_are_drawn_at_its_level(show, tmp_path):
    for level, faint in (("recorded", False), ("peak", True)):
        recipe = tmp_path / f"{level}.yaml"
        recipe.write_text(f"dataset: {{kind: fsdd}}\nlevel: {level}\nfeatures: {{kind: waveform}}\n")
        drawn = Path(show("features", recipe)[1][0]).read_text()
        assert ("at a peak of 1" in drawn) == faint


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["clip", "nowhere.wav"], "no such file"),
        (["clip", "CLIP", "--only", "wavform"], "did you mean 'waveform'?"),
        (["clip", "CLIP", "--power", "0"], "must be above 0"),
        (["features", "mell"], "did you mean 'mel'?"),
        (["features", "nowhere.yaml"], "no such recipe"),
        (["features", "mel", "--clip", "nowhere.wav"], "no such file"),
        (["dataset", "nowhere"], "nowhere"),
        (["run", "nowhere"], "no run there"),
    ],
)
def test_what_cannot_be_drawn_is_one_line_and_leaves_nothing(show, clip, arguments, says):
    code, _, err = show(*(str(clip) if argument == "CLIP" else argument for argument in arguments))
    assert code == 2
    assert says in one_line(err)
    assert not list(Path().iterdir())


def test_a_file_that_is_no_sound_and_an_unfinished_run(show, made_run, tmp_path):
    (tmp_path / "text.wav").write_text("not a sound")
    assert "cannot be read as sound" in show("clip", tmp_path / "text.wav")[2]
    run = made_run("half")
    (run / "metrics.json").unlink()
    assert "has not finished" in show("run", run)[2]


def test_help_of_every_command(show):
    for command in ("clip", "features", "dataset", "run"):
        code, lines, _ = show(command, "--help")
        assert code == 0
        assert f"Usage: sayso show {command}" in "\n".join(lines)
