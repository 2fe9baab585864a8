"""The relabel file: clips get the words it says and keep all else, or one line says what is wrong with it."""

from dataclasses import replace
from pathlib import Path

import pytest

from runs_made import small_recipe
from sayso.data.clips import Clip
from sayso.data.datasets.folder import FolderConfig
from sayso.data.exclusions import Exclusion, read_exclusions
from sayso.data.relabels import relabel_clips
from sayso.data.splits.settings import SplitSettings
from sayso.errors import DataError
from sayso.recipe.prepared import Prepared, prepare
from sayso.system.progress import Progress

MARKS = """clip,start_seconds,mark,label,part
a/p.wav,,relabel,b,test
a/q.wav,,exclude,,test
long.wav,1.25,relabel,a,train
"""


@pytest.fixture
def clips(tmp_path):
    long = [Clip(f"{tmp_path}/long.wav", "b", "eva", start_seconds=start) for start in (0.5, 1.25)]
    files = [Clip(f"{tmp_path}/a/{name}.wav", "a", "ann", "train") for name in "pq"]
    return (*long, *files)


def table(folder: Path, text: str) -> Path:
    path = folder / "marks.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_clip_gets_another_word_and_keeps_all_else(clips, tmp_path) -> None:
    path = table(tmp_path, "\ufeffClip,Label\na/p.wav,b\na/q,a\n")
    relabelled, note = relabel_clips(path, clips)
    assert relabelled == (*clips[:2], replace(clips[2], label="b", source_label="a"), clips[3])
    assert note == f"1 clip relabelled by {path}"


def test_marks_serve_both_keys_and_those_on_tested_clips_are_counted(clips, tmp_path) -> None:
    path = table(tmp_path, MARKS)
    relabelled, note = relabel_clips(path, clips)
    assert [clip.label for clip in relabelled] == ["b", "a", "b", "a"]
    assert note.startswith(f"2 clips relabelled by {path}; 1 of them known as test clips")
    assert read_exclusions(path) == (Exclusion("a/q.wav"),)


def test_clips_that_are_left_out_are_not_counted_as_relabelled(tone_folder, tmp_path) -> None:
    first, *_ = FolderConfig(path=str(tone_folder)).listing(Progress()).clips
    other = {"high": "low"}.get(first.label, "high")
    lines = f"{first.path},relabel,{other}\n{first.path},exclude,\n"
    path = str(table(tmp_path, f"clip,mark,label\n{lines}"))
    listing = FolderConfig(path=str(tone_folder), exclude=path, relabel=path).kept_listing(Progress())
    assert first.path not in {clip.path for clip in listing.clips}
    assert f"0 clips relabelled by {path}" in listing.notes


def test_a_word_without_a_clip_left_is_told(clips, tmp_path) -> None:
    assert relabel_clips(table(tmp_path, "clip,label\nlong.wav,a\n"), clips)[1].endswith("; no clip of b is left")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("clip,label\na/p.wav,bb\n", r"marks.csv: line 2: no clip has the label 'bb'; did you mean 'b'"),
        ("clip,label\na/p.wav\n", r"line 2: no clip has the label ''; choose from a, b"),
        ("clip,label\na/r.wav,b\n", r"names 1 clip that is gone: a/r.wav; take those lines out"),
        ("clip,label\na/p.wav,b\na/p.wav,a\n", r"line 3: a/p.wav is 'a' here and 'b' further up"),
        (
            "clip,word\na/p.wav,b\n",
            r"has no column label; the first line of a relabel file is clip,start_seconds,label",
        ),
        ("clip,label,mark\na/p.wav,b,maybe\n", r"line 2: mark is 'maybe', must be exclude or relabel"),
        ("label,clip\na\n", r"line 2 names no clip"),
        (None, r"no such relabel file; check the path, which is dataset.relabel in a recipe"),
    ],
)
def test_a_file_that_does_not_fit_is_one_line(clips, tmp_path, text, line) -> None:
    path = tmp_path / "marks.csv" if text is None else table(tmp_path, text)
    with pytest.raises(DataError, match=line) as caught:
        relabel_clips(path, clips)
    assert "\n" not in str(caught.value)


@pytest.fixture
def marked(tmp_path):
    """Give a function that prepares tones by two people with some clips relabelled."""
    from conftest import write_tones

    folder = write_tones(tmp_path / "tones", speakers=("ann", "ben"))
    first, second = sorted(folder.iterdir())[:2]

    def prepared(*relabelled: str) -> Prepared:
        path = table(tmp_path, "\n".join(["clip,label", *(f"{name},{second.name}" for name in relabelled)]))
        pattern = r"/(?P<speaker>[a-z]+)_\d"
        dataset = FolderConfig(path=str(folder), speaker="pattern", speaker_pattern=pattern, relabel=str(path))
        split = SplitSettings(by="speakers", test_speakers=("ann",))
        return prepare(replace(small_recipe(folder), dataset=dataset, split=split), Progress())

    prepared.names = sorted(str(path) for path in first.glob("*.wav"))  # pyright: ignore[reportFunctionMemberAccess]
    return prepared


def test_relabelled_clips_are_counted_by_part_beside_the_score(marked) -> None:
    anns = [name for name in marked.names if "ann" in Path(name).name]
    bens = [name for name in marked.names if "ben" in Path(name).name]
    done = marked(anns[0], bens[0])
    assert sum(done.relabelled.values()) == 2
    assert done.relabelled["test"] == 1
    row = next(row for row, clip in enumerate(done.corpus.clips) if clip.path == anns[0])
    assert (done.corpus.clips[row].speaker, row in done.split.test) == ("ann", True)
    told = f"1 of {len(done.split.test)} test clips marked with another word than the source's (dataset.relabel)"
    assert told in done.notes
    assert marked().relabelled == {}
    assert marked().corpus.content_hash != done.corpus.content_hash
