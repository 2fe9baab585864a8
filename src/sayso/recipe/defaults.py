"""Sensible settings for clips that come without a recipe, chosen from what the clips are."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sayso.audio import probe
from sayso.config.overrides import merge, parse_overrides
from sayso.config.schema import dump, read
from sayso.data.clips import Clip
from sayso.data.datasets import DatasetConfig
from sayso.data.splits.settings import SplitSettings
from sayso.data.unknown_words import list_for_recipe
from sayso.errors import AudioError, Fault, SettingsError
from sayso.recipe.former import find_moved_keys
from sayso.recipe.recipe import Recipe, recipe_from_values
from sayso.system.progress import Progress

__all__ = ["read_data_sections", "suggest_audio", "suggest_recipe"]

_PROBED = 200
_CLIPS_TO_SEE = 60_000


def suggest_recipe(path: Path, overrides: Sequence[str] = (), *, progress: Progress) -> Recipe:
    """A recipe for a folder of clips or a manifest.

    The rate is the commonest one of the files up to 16 kHz; the length holds nearly all of them up to 2 s, and of
    longer ones the loudest part is taken; epochs are as many as let a small folder be seen often enough.

    Rate and length are read from the headers of clips that the source does not give to the test part. Where it gives
    none, the test part is drawn only once the clips are cut to that length, so the headers of clips that come to be
    tested count too; their sound, words and speakers are not looked at.

    Raises:
        DataError: no usable clips are there.
        SettingsError: an override does not fit.
    """
    laid_over = parse_overrides(overrides)
    values: dict[str, Any] = merge({"dataset": {"kind": "folder", "path": str(path)}}, laid_over)
    section = values["dataset"]
    if isinstance(section, Mapping) and section.get("kind") != "folder":
        raise SettingsError(
            [Fault("dataset.kind", "must be folder when a folder or manifest is given")], source=str(path)
        )
    dataset, split = read_data_sections(values, source=str(path))
    listing = list_for_recipe(dataset, progress, split)
    values["audio"] = suggest_audio([clip for clip in listing.clips if clip.part != "test"])
    values["training"] = {"epochs": int(np.clip(_CLIPS_TO_SEE // max(1, len(listing.clips)), 15, 150))}
    values["dataset"] = dump(dataset)
    return recipe_from_values(merge(values, laid_over), source=str(path))


def read_data_sections(values: Mapping[str, Any], *, source: str) -> tuple[DatasetConfig, SplitSettings]:
    """Read the sections `dataset` and `split` of plain values; `source` names them in messages.

    Raises:
        SettingsError: anything in them does not fit.
    """
    try:
        if faults := list(find_moved_keys(values)):
            raise SettingsError(faults)
        dataset = read(DatasetConfig, values["dataset"], key="dataset")
        return dataset, read(SplitSettings, values.get("split", {}), key="split")
    except SettingsError as error:
        raise SettingsError(error.faults, source=source) from error


def suggest_audio(clips: Sequence[Clip]) -> dict[str, Any]:
    """Plain values of an `AudioFormat` from the headers of some files, evenly over the clips; empty: none is sound."""
    some = clips[:: max(1, len(clips) // _PROBED)]
    seconds: list[float] = []
    rates: Counter[int] = Counter()
    for clip in some:
        try:
            length, rate = probe(Path(clip.path))
        except AudioError:
            continue  # packing counts and lists them
        start, end = clip.start_seconds or 0.0, clip.end_seconds or length
        seconds.append(min(end, length) - start)
        rates[rate] += 1
    if not seconds:
        return {}
    rate = int(np.clip(rates.most_common(1)[0][0], 8_000, 16_000))
    longest = float(np.clip(np.ceil(np.quantile(seconds, 0.95) * 10) / 10, 0.5, 2.0))
    return {"sample_rate": rate, "clip_seconds": round(longest, 1), "fit": "loudest"}
