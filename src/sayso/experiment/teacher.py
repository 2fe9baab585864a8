"""The teacher of a recipe: found, and refused where it heard what its student is to be scored by."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sayso.classifier.checkpoint import load_model
from sayso.classifier.module import Classifier
from sayso.data.corpus import Corpus, Rows, take
from sayso.data.leakage.names import list_names
from sayso.data.near_copies import find_copies_across
from sayso.data.packing import fingerprint
from sayso.data.splits.settings import EACH_SPEAKER
from sayso.errors import DataError, MissingExtraError, RunError
from sayso.experiment.run import Run, check_same_clips
from sayso.recipe.prepared import Prepared, prepare
from sayso.recipe.recipe import Training
from sayso.recipe.teaching import teaching_recipe
from sayso.runs.folder import RunFolder
from sayso.system.files import file_digest
from sayso.system.wording import counted, listed

if TYPE_CHECKING:
    from sayso.training import Teacher

__all__ = ["check_teacher", "find_teacher", "note_teacher"]

_KEY = "training.teacher"
_MOST_NAMES, _MOST_WORDS = 3, 5
_NONE = "none of these"


def check_teacher(prepared: Prepared) -> None:
    """Refuse what `find_teacher` refuses, as far as that is known of a teacher that is still to be trained.

    Raises:
        RunError: as `find_teacher`.
        SettingsError: the teacher's recipe is not there, or does not fit the clips.
    """
    if prepared.recipe.training.teacher_file is not None:
        teaching_recipe(prepared.recipe)
    else:
        find_teacher(prepared)


def find_teacher(prepared: Prepared, student: RunFolder | None = None) -> "Teacher | None":
    """Load the teacher that a recipe names; None where it names none.

    The teacher's clips, and those of its own teachers, are looked up and divided as they were for its training. What
    the student's own training hears the teacher may have heard, too; beyond that no clip that tests or validates the
    student, no near copy of one, and nobody who is left out to be tested. Where each speaker is left out in turn,
    beside it stand the teachers that left them out, too.

    Args:
        prepared: the student's recipe and clips.
        student: its run, with the teacher in it that was trained first by the recipe's own; None: there is none yet.

    Raises:
        RunError: the run is not there or has not finished, it knows other words or hears clips of another format, what
            it heard cannot be looked up, or it heard what it must not have.
    """
    if not prepared.recipe.training.teacher:
        return None
    # Imported here, as wherever a run is trained.
    from sayso.training import Teacher

    run = _open_teacher(prepared.recipe.training, student)
    classifier = run.classifier()
    _check_fit(prepared, run, classifier)
    for each in _lineage(run):
        _check_unheard(prepared, each)
    left_out = len(prepared.test_speakers) if prepared.split.kind == EACH_SPEAKER else 0
    files = [run.fold(place).weights for place in range(left_out)]
    others = tuple(Teacher(load_model(file), file_digest(file)) for file in files)
    return Teacher(classifier, file_digest(run.weights), others)


def _check_fit(prepared: Prepared, run: Run, teacher: Classifier) -> None:
    """Check that the teacher knows the same words, and hears the same clips."""
    own, theirs = (
        (*labels, _NONE) if recipe.rejection.has_negatives else labels
        for labels, recipe in ((prepared.corpus.labels, prepared.recipe), (teacher.labels, teacher.recipe))
    )
    if theirs != own:
        lacks, knows = (_listed_words(some, others) for some, others in ((own, theirs), (theirs, own)))
        differences = [f"it lacks {lacks}"] * bool(lacks) + [f"{knows} is what it knows besides"] * bool(knows)
        raise RunError(
            f"{_KEY}: {run.path} does not know the same words: {', and '.join(differences)}; a teacher and what it "
            "teaches must know the same"
        )
    if teacher.audio != prepared.recipe.audio:
        there, here = (
            f"{audio.sample_rate} Hz, {audio.clip_seconds:g} s, fit: {audio.fit}"
            for audio in (teacher.audio, prepared.recipe.audio)
        )
        raise RunError(
            f"{_KEY}: {run.path} hears clips of another format ({there}) than this recipe's ({here}); give both "
            "the same audio"
        )


def _listed_words(some: Sequence[str], others: Sequence[str]) -> str:
    return listed([f"'{word}'" for word in some if word not in others], _MOST_WORDS, count_rest=True)


def note_teacher(prepared: Prepared) -> Iterator[str]:
    """Yield a note where there is a teacher that `find_teacher` gave."""
    if prepared.recipe.training.teacher:
        share = f"{prepared.recipe.training.teacher_weight:g}"
        yield f"taught by another run too ({_KEY}, weight {share}), which heard no clip that tests or validates here"


def _open_teacher(training: Training, student: RunFolder | None) -> Run:
    """Open the run that taught a student, or is to teach it."""
    if (file := training.teacher_file) is None:
        return _open(Path(training.teacher))
    if student is None:
        raise RunError(
            f"{_KEY}: {file} is a recipe, by which sayso train has a teacher trained first; here give a finished run, "
            f"or none: --set '{_KEY}=\"\"'"
        )
    return _open(student.teacher.path)


def _open(place: Path) -> Run:
    try:
        run = Run.open(place)
        run.check_finished()
    except RunError as error:
        raise RunError(f"{_KEY}: {error}") from error
    return run


def _lineage(run: Run) -> Iterator[Run]:
    """Yield a teacher, and the teachers it learned from itself."""
    yield run
    taught, training = run.manifest().get("teacher"), run.settings.training
    if taught is None:
        return
    unknown = f"{_KEY}: {run.path} had a teacher itself, {taught['run']}, and what that heard cannot be looked up"
    if not training.teacher:
        raise RunError(f"{unknown}: it was adapted since; give a teacher that had none")
    try:
        own = _open_teacher(training, run)
    except RunError as error:
        raise RunError(f"{unknown} ({error}); bring it back, or give a teacher that had none") from error
    if file_digest(own.weights) != taught["weights"]:
        raise RunError(f"{unknown}: it has been trained anew; give a teacher that had none")
    yield from _lineage(own)


@dataclass(frozen=True, eq=False)
class _Heard:
    """What a training hears."""

    sounds: dict[str, NDArray[np.int16]]
    """Samples of each clip, of a word or of none, by their fingerprint."""
    speakers: frozenset[str]

    @classmethod
    def of(cls, prepared: Prepared, *parts: Rows) -> "_Heard":
        """Gather these parts of the clips, and the negatives."""
        corpus, rows, negatives = prepared.corpus, np.concatenate(parts), prepared.negatives
        sounds = {corpus.fingerprints[row]: corpus.samples[row] for row in rows}
        speakers = {corpus.clips[row].speaker for row in rows}
        if negatives is not None:
            others = np.setdiff1d(np.arange(len(negatives)), prepared.unheard_negatives)
            sounds |= {fingerprint(sound): sound for sound in negatives.samples[others]}
            speakers |= {negatives.speakers[row] for row in others if row < len(negatives.speakers)}
        return cls(sounds, frozenset(name for name in speakers if name))


def _check_unheard(prepared: Prepared, teacher: Run) -> None:
    theirs, split, corpus = _look_up(prepared, teacher), prepared.split, prepared.corpus
    own = _Heard.of(prepared, split.train, split.validation)
    heard = _Heard.of(theirs, theirs.split.train, theirs.split.validation)
    tested = {"test": take(corpus, split.test)}
    if (unknown := prepared.unknown_words) is not None:
        tested["rejected"] = unknown
    complaints = [each for part, clips in tested.items() for each in _find_heard(clips, part, own, heard)]
    if len(split.validation):
        trained = _Heard.of(prepared, split.train), _Heard.of(theirs, theirs.split.train)
        complaints += _find_heard(take(corpus, split.validation), "validation", *trained)
    if complaints:
        raise RunError(
            f"{_KEY}: {teacher.path} heard {', and '.join(complaints)}, which this training does not, so a score on "
            f"them would say nothing; give a teacher of the same split and training.seed{_other_way(complaints)}"
        )


def _look_up(prepared: Prepared, teacher: Run) -> Prepared:
    """The teacher's clips, divided as they were."""
    unknown = f"{_KEY}: what {teacher.path} heard cannot be looked up"
    try:
        theirs = prepare(teacher.settings, prepared.progress)
        _ = theirs.negatives
    except (DataError, MissingExtraError) as error:
        raise RunError(f"{unknown} ({error}); bring its clips back, or give another teacher") from error
    check_same_clips(teacher.manifest(), theirs, f"{unknown}: its clips have changed since it was trained")
    return theirs


def _find_heard(scored: Corpus, part: str, own: _Heard, theirs: _Heard) -> Iterator[str]:
    """Yield what a teacher heard of a part that is scored, but its student does not hear."""
    new = [sound for mark, sound in theirs.sounds.items() if mark not in own.sounds]
    if new and len(scored):
        copies = find_copies_across(np.stack(new), scored.samples, sample_rate=scored.audio.sample_rate)
        if rows := sorted({copy.second for copy in copies}):
            clips = counted(len(rows), f"{part} clip or a near copy of it", f"{part} clips or near copies of them")
            yield f"{clips} ({list_names(scored, rows)})"
    held_out = {clip.speaker for clip in scored.clips if clip.speaker} - own.speakers
    if shared := sorted(held_out & theirs.speakers):
        yield f"{counted(len(shared), f'{part} speaker')} ({listed(shared, _MOST_NAMES)})"


def _other_way(complaints: Sequence[str]) -> str:
    only_validation = all(" validation " in complaint.partition("(")[0] for complaint in complaints)
    return ", or split.validation: none" if only_validation else ""
