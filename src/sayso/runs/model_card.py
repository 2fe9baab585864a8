"""`MODEL_CARD.md`: what a reader must know of a model, made of nothing but the other files of its run."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from sayso.config.overrides import load_yaml
from sayso.data.datasets import DATASETS
from sayso.errors import RunError, SettingsError
from sayso.runs.folder import RunFolder
from sayso.runs.manifest import split_label
from sayso.runs.sharing import LEFT_OUT, without_names
from sayso.system.files import why_unread, write_text
from sayso.system.wording import counted, percent, rounded

__all__ = ["VOICES_LICENCE", "make_card", "read_run_card", "sources_of", "write_card"]

VOICES_LICENCE = (
    "Its program is GPL-3. By the common reading a program's licence does not cover what the program puts out, so "
    "neither the sounds nor models trained on them are; the library itself would be, and is not in here. This is no "
    "legal advice."
)
"""What is to be said of synthetic voices wherever licences are."""
_OWN = "own recordings, under the terms of who made them"
_MOST_SPEAKERS = 30
_LEAKAGE = {
    "same_samples": "by the same samples",
    "near_copies": "as a near copy",
}
_INT8_PARTS = (
    ("validation", "validation"),
    ("left_out", "of each speaker by a model that never heard them"),
    ("test", "test"),
)
_PARTS = (("train", "training"), ("validation", "validation"), ("test", "test"))


def make_card(
    recipe: Mapping[str, Any],
    manifest: Mapping[str, Any],
    metrics: Mapping[str, Any],
    *,
    names: bool = False,
    int8: Mapping[str, Any] | None = None,
) -> str:
    """Write the card of a model, as Markdown; every figure in it is one of the run's files.

    Args:
        recipe: plain values of the resolved recipe.
        manifest: as in `manifest.json`; what is missing is not told.
        metrics: as in `metrics.json`.
        names: keep people's names, paths and folders, and the run's notes, which may hold such; else speakers are
            numbered, the worst first.
        int8: what was measured of the model's int8 form, whose card it is; None: it is the float model's.
    """
    sections = (
        _what_it_is(recipe, manifest, metrics),
        _data(recipe, manifest),
        _split(manifest, metrics),
        *((_int8(int8),) if int8 else ()),
        _scores(metrics, names=names),
        _false_accepts(metrics, manifest),
        _limits(recipe, manifest, metrics, names=names),
        _command(recipe, manifest, names=names, int8=int8 is not None),
    )
    return "\n".join(line for section in sections for line in (*section, "")).rstrip() + "\n"


def read_run_card(run: RunFolder, *, names: bool = False, int8: Mapping[str, Any] | None = None) -> str:
    """Make the card of a finished run from its files as they are now; `names` and `int8` as for `make_card`.

    Raises:
        RunError: it has not finished, or one of the files is missing or damaged.
    """
    try:
        recipe: Any = load_yaml(run.recipe.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise RunError(f"{run.recipe}: {why_unread(error, 'damaged; train again')}") from error
    if not isinstance(recipe, Mapping):
        raise RunError(f"{run.recipe}: damaged; train again")
    return make_card(recipe, run.manifest(), run.metrics(), names=names, int8=int8)


def write_card(run: RunFolder, text: str) -> None:
    """Write the card into the run's folder, atomically; raises OutputError where that cannot be."""
    write_text(run.card, text)


def sources_of(recipe: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Say what a model was trained on: for each source what it was for, and whose it is under which licence."""
    rejection: Mapping[str, Any] = recipe.get("rejection") or {}
    dataset: Mapping[str, Any] = recipe.get("dataset") or {}
    named: list[tuple[str, Any]] = [("the words", dataset)]
    if dataset.get("kind") == "mixed":
        named = [("the words", dataset.get("recordings"))]
        named += [("the words, for training alone", other) for other in dataset.get("training") or ()]
    named += [("none of the words", other) for other in rejection.get("negatives") or ()]
    found = [(what, _licence(source)) for what, source in named if isinstance(source, Mapping) and source]
    if rejection.get("recordings"):
        found.append(("none of the words", f"long recordings: {_OWN}"))
    return list(dict.fromkeys(found))


def _licence(source: Mapping[str, Any]) -> str:
    kind = str(source.get("kind", ""))
    if kind == "folder":
        return _OWN
    try:
        licence = DATASETS.get(kind).licence
    except SettingsError:  # a part of a package that is not here
        licence = ""
    return licence or f"'{kind}', under the terms of who made it"


def _what_it_is(recipe: Mapping[str, Any], manifest: Mapping[str, Any], metrics: Mapping[str, Any]) -> Iterator[str]:
    words, audio = metrics.get("labels") or [], recipe.get("audio") or {}
    versions: Mapping[str, Any] = manifest.get("versions") or {}
    yield f"# Model card: {counted(len(words), 'spoken word')}"
    yield ""
    yield f"Names the word in a clip of speech: {', '.join(map(_cell, words))}."
    yield ""
    if audio:
        yield f"- hears: clips of {audio.get('clip_seconds')} s at {audio.get('sample_rate')} Hz, one channel"
    rejection: Mapping[str, Any] = metrics.get("rejection") or {}
    if rejection.get("threshold_from") == "model":
        yield f'- says "none of these" where no word has a probability of {rejection["threshold"]:.3f}'
    elif any((recipe.get("rejection") or {}).get(key) for key in ("negatives", "recordings", "cut_words")):
        yield '- always names a word; it learned "none of these", but no clips validated to fit a threshold by'
    else:
        yield '- always names a word; it did not learn to say "none of these"'
    parts = [f"{name} `{(recipe.get(name) or {}).get('kind')}`" for name in ("features", "model")]
    yield f"- made of: {', '.join(parts)}; {metrics.get('parameters', 0):,} parameters adjusted by training"
    if versions:
        yield f"- made by: {', '.join(f'{name} {version}' for name, version in versions.items())}"


def _data(recipe: Mapping[str, Any], manifest: Mapping[str, Any]) -> Iterator[str]:
    yield "## Data and licences"
    yield ""
    sources = sources_of(recipe)
    for what, source in sources:
        yield f"- {what}: {source}"
    if credit := manifest.get("credit"):
        yield f"- pretrained weights, modified: {credit}"
    if any("espeak" in source for _, source in sources):
        yield ""
        yield f"Of synthetic voices: {VOICES_LICENCE}"


def _split(manifest: Mapping[str, Any], metrics: Mapping[str, Any]) -> Iterator[str]:
    clips, leakage = manifest.get("clips") or {}, manifest.get("leakage") or {}
    yield "## Split"
    yield ""
    yield f"- {split_label(manifest, metrics['test'].get('speakers')) or 'split not recorded'}"
    for key, part in _PARTS:
        if key in clips:
            yield f"- {part}: {counted(clips[key], 'clip')}"
    shared = [f"{len(leakage[key]):,} {how}" for key, how in _LEAKAGE.items() if key in leakage]
    if shared:
        yield f"- test clips that training or validation holds too: {', '.join(shared)}"


def _int8(facts: Mapping[str, Any]) -> Iterator[str]:
    """What int8 changes: answers, size and speed, each beside the float model's."""
    calibration, size, network, speed = (facts[key] for key in ("calibration", "bytes", "network_bytes", "speed"))
    yield "## In int8, and in float"
    yield ""
    yield "| | int8 | float |"
    yield "|---|---|---|"
    for key, what in _INT8_PARTS:
        if row := facts.get(key):
            right = " | ".join(percent(row["accuracy"][form], digits=2) for form in ("int8", "float"))
            yield f"| right, {what}, {counted(row['n'], 'clip')} | {right} |"
    yield f"| the file | {size['int8'] / 1e6:.2f} MB | {size['float'] / 1e6:.2f} MB |"
    yield f"| weights of its networks | {network['int8'] / 1e6:.3f} MB | {network['float'] / 1e6:.3f} MB |"
    for key, what in (("file", "one clip"), ("network", "its networks alone")):
        yield f"| {what} | {speed[key]['int8']:.3f} ms | {speed[key]['float']:.3f} ms |"
    yield ""
    judged = facts[facts["judged_by"]]
    yield f"- lost: {100 * judged['lost']:.2f} points, 95 % interval {_interval(judged['lost_ci95'])}, paired"
    yield f"- how: {facts['scheme']}; what comes before the networks is in float"
    yield f"- calibrated by {counted(calibration['clips'], 'training clip')} of {counted(calibration['words'], 'word')}"
    yield f"- timed on one thread of: {speed['processor']}"
    yield f"- made from the model of SHA-256 {facts['made_from_sha256']} by onnxruntime {facts['onnxruntime']}"
    yield "- every score below is the float model's"


def _scores(metrics: Mapping[str, Any], *, names: bool) -> Iterator[str]:
    test: Mapping[str, Any] = metrics["test"]
    yield "## Scores on the test part"
    yield ""
    yield "| | clips | right | 95 % interval over clips | over speakers |"
    yield "|---|---|---|---|---|"
    over = _interval(test.get("speaker_accuracy_ci95"))
    right = f"{percent(test.get('accuracy'))} | {_interval(test.get('accuracy_ci95'))}"
    yield f"| all | {test.get('n', 0):,} | {right} | {over} |"
    calibration = metrics.get("calibration") or {}
    if test.get("ece") is not None:
        yield ""
        fitted = f", after the temperature {calibration['temperature']:.3f}" if "temperature" in calibration else ""
        yield f"Probabilities are off by {percent(test['ece'])} on average (expected calibration error{fitted})."
    if words := test.get("per_class"):
        yield from ("", "| word | clips | recall | precision |", "|---|---|---|---|")
        for word, row in words.items():
            yield f"| {_cell(word)} | {row['n']} | {percent(row['recall'])} | {percent(row['precision'])} |"
    speakers: Mapping[str, Mapping[str, Any]] = test.get("per_speaker") or {}
    worst_first = sorted(speakers, key=lambda name: (speakers[name]["accuracy"], -speakers[name]["n"]))
    if speakers:
        yield from ("", "| speaker, worst first | clips | right | 95 % interval |", "|---|---|---|---|")
    for place, name in enumerate(worst_first[:_MOST_SPEAKERS], start=1):
        row = speakers[name]
        right = f"{percent(row['accuracy'])} | {_interval(row['accuracy_ci95'])}"
        yield f"| {_cell(name) if names else place} | {row['n']} | {right} |"
    if (rest := len(speakers) - _MOST_SPEAKERS) > 0:
        yield from ("", f"And {counted(rest, 'speaker')} more.")


def _false_accepts(metrics: Mapping[str, Any], manifest: Mapping[str, Any]) -> Iterator[str]:
    yield "## False accepts"
    yield ""
    rejection: Mapping[str, Any] = metrics.get("rejection") or {}
    for key, what in (
        ("accepted_right", "wanted clips accepted and right"),
        ("false_reject", "wanted clips taken for none of these"),
        ("false_accept", "clips of unknown words taken for a word"),
    ):
        if row := rejection.get(key):
            over = f"; over speakers {_interval(row['speaker_ci95'])}" if row.get("speaker_ci95") else ""
            limits = f"95 % interval over clips {_interval(row['ci95'])}{over}"
            yield f"- {what}: {percent(row['rate'])} of {row['n']:,} ({limits})"
    if "false_accept" not in rejection:
        yield "- on clips of unknown words: not measured (`dataset.reject_words` sets some apart)"
    if tuned := manifest.get("tuned"):
        what = (
            "what each threshold costs was measured, and none was chosen by it"
            if tuned.get("kept_thresholds")
            else f"thresholds were chosen for {tuned['false_alarms_per_hour']:g} false alarms of a word an hour"
        )
        yield (
            f"- on streams: {what}, over {rounded(tuned['replayed_hours'])} h "
            f"({rounded(tuned['independent_hours'])} h independent) of {tuned['background']}"
        )
    else:
        yield "- on streams: not measured (`sayso tune` does)"


def _limits(
    recipe: Mapping[str, Any], manifest: Mapping[str, Any], metrics: Mapping[str, Any], *, names: bool
) -> Iterator[str]:
    test: Mapping[str, Any] = metrics["test"]
    yield "## Limits"
    yield ""
    if manifest.get("speakers_shared"):
        yield "- test speakers were heard in training, so expect less from a new voice than the scores say"
    elif manifest.get("speakers_shared") is None:
        yield "- who speaks is not known, so the same voices may be in training and test: expect less from a new voice"
    if speakers := test.get("speakers"):
        yield f"- tested on {counted(speakers, 'speaker')}; others, and other rooms and microphones, may fare otherwise"
    silent = [word for word, row in (test.get("per_class") or {}).items() if row["recall"] == 0 and row["n"]]
    if silent:
        yield f"- never recognised in the test: {', '.join(map(_cell, silent))}"
    if (recipe.get("dataset") or {}).get("kind") == "synthetic":
        yield "- the words were learned from synthetic voices alone, and the scores are over such"
    yield "- made to name words, and for nothing that safety hangs on"
    notes = manifest.get("notes") or []
    if names:
        yield from (f"- {note}" for note in notes)
    elif notes:
        are = "note of the run is" if len(notes) == 1 else "notes of the run are"
        yield f"- {len(notes)} {are} left out here, as they may name clips and people; the run's report has them"


def _command(recipe: Mapping[str, Any], manifest: Mapping[str, Any], *, names: bool, int8: bool) -> Iterator[str]:
    yield "## The command that made it"
    yield ""
    yield "```"
    if "adapted_from" in manifest:
        yield "sayso adapt RUN CLIPS   # from another run's weights, by the recipe below"
    else:
        yield "sayso train recipe.yaml   # the recipe below"
    if tuned := manifest.get("tuned"):
        yield _tuning(tuned)
    if int8:
        yield "sayso export RUN --int8"
    yield "```"
    yield ""
    if "seed" in manifest:
        told = [f"{key} {manifest[key]}" for key in ("seed", "device", "precision", "processes") if key in manifest]
        yield f"With {', '.join(told)}; SHA-256 of the clips {manifest.get('data_hash', 'not recorded')}."
        yield ""
    if not names:
        yield f'Names, paths and folders say "{LEFT_OUT}".'
        yield ""
    values = dict(recipe) if names else without_names(recipe)
    yield "```yaml"
    yield yaml.safe_dump(values, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110).rstrip()
    yield "```"


def _tuning(tuned: Mapping[str, Any]) -> str:
    """Write the command that tuned a model, as far as `manifest.json` has it."""
    asked: Mapping[str, Any] = tuned.get("asked") or {}  # not recorded by an earlier Sayso
    given = [f"--false-alarms-per-hour {tuned['false_alarms_per_hour']:g}"]
    given += ["--background RECORDINGS"] if asked.get("own_background") else []
    given += [f"--{key} {asked[key]:g}" for key in ("hours", "rooms") if key in asked]
    given += ["--write", *(["--keep-thresholds"] if tuned.get("kept_thresholds") else [])]
    return f"sayso tune RUN {' '.join(given)}"


def _cell(text: str) -> str:
    """Write a text as a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def _interval(limits: Sequence[float] | None) -> str:
    """Write an interval of shares in per cent; a dash where there is none."""
    return f"{100 * limits[0]:.1f} to {100 * limits[1]:.1f}" if limits else "-"
