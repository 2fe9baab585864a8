"""What reading and fitting did to recordings, as far as a person should know: kept beside the clips, and noted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from sayso.audio import AudioFormat, Fitted, Sound, count_beyond
from sayso.data.clips import Clip, name_clips
from sayso.system.wording import counted, listed

__all__ = ["Treatment", "note_treatments"]

# About a syllable.
_LEAST_LOST_SECONDS = 0.1
_SHOWN = 3
# So many of the clips that lose sound are to keep it with the length that is named.
_KEPT_SHARE = 0.95


@dataclass(frozen=True)
class Treatment:
    """What was done to one clip; the clip it makes is packed all the same."""

    clipped: int = 0
    """Samples that lay outside [-1, 1]."""
    was_int16: bool = False
    """Its file holds the whole numbers of int16 as floats."""
    one_channel: bool = False
    """The mean of its channels would have lost its sound, and the loudest was taken."""
    has_no_end: bool = False
    """Its file does not know whether its end is there."""
    lost_seconds: float = 0.0
    """Sound outside the clip."""
    needed_seconds: float = 0.0
    """Length of a clip that would hold all sound of the recording; 0 where none is lost."""
    silent: bool = False
    """All its samples are the same."""
    faint: bool = False
    """They are not, but so small that 16 bits hold nothing of them."""

    @classmethod
    def of(cls, sound: Sound, fitted: Fitted) -> "Treatment":
        """Tell it from a recording and the clip that was made of it."""
        lost, needed = fitted.measure_loss()
        is_lost = lost >= _LEAST_LOST_SECONDS
        nothing = not fitted.clip.any()
        return cls(
            clipped=count_beyond(fitted.samples),
            was_int16=sound.was_int16,
            one_channel=sound.channel is not None,
            has_no_end=sound.has_no_end,
            lost_seconds=round(lost, 2) if is_lost else 0.0,
            needed_seconds=round(needed, 2) if is_lost else 0.0,
            silent=bool(sound.samples.max() == sound.samples.min()) or (nothing and not fitted.samples.any()),
            faint=nothing and bool(np.any(fitted.samples)),
        )

    def to_values(self) -> dict[str, Any]:
        """Give what differs from an ordinary clip's, as plain values; nothing: it is an ordinary clip."""
        return {key: value for key, value in asdict(self).items() if value}

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> "Treatment":
        """Read `to_values` back."""
        return cls(**{field.name: values[field.name] for field in fields(cls) if field.name in values})


def note_treatments(clips: Sequence[Clip], treated: Mapping[int, Treatment], audio: AudioFormat) -> Iterator[str]:
    """Say what was done to clips, a line for each kind; of made ones only that they lose sound.

    Args:
        clips: all of them.
        treated: what was done, by row; ordinary clips need not be there.
        audio: what the clips were brought to.
    """
    recorded = {row: each for row, each in treated.items() if not clips[row].is_made}
    for kind, text in _TEXTS.items():
        rows = [row for row, each in recorded.items() if getattr(each, kind)]
        if rows:
            count, are = counted(len(rows), "clip"), "is" if len(rows) == 1 else "are"
            samples = counted(sum(each.clipped for each in recorded.values()), "sample")
            yield text.format(clips=count, clips_are=f"{count} {are}", names=_some(clips, rows), samples=samples)
    if lost := [row for row, each in treated.items() if each.lost_seconds]:
        yield _note_loss([treated[row] for row in lost], _some(clips, lost), len(clips), audio)


def _some(clips: Sequence[Clip], rows: Sequence[int]) -> str:
    return f"({listed(list(name_clips(clips, [clips[row] for row in rows])), _SHOWN)})"


_TEXTS = {
    "silent": "{clips_are} digital silence {names}",
    "faint": "{clips_are} too quiet for 16 bits, which hold nothing of them {names}",
    "clipped": "{clips} beyond full scale, with {samples} clipped {names}",
    "was_int16": "{clips} with whole numbers of int16 stored as floats: divided by 32,768 {names}",
    "one_channel": "{clips} with channels that all but cancel one another: the loudest channel was taken {names}",
    "has_no_end": "{clips} whose last Ogg page is not marked as the last: their ends may be missing {names}",
}


def _note_loss(lost: Sequence[Treatment], names: str, total: int, audio: AudioFormat) -> str:
    seconds = [each.lost_seconds for each in lost]
    needed = float(np.quantile([each.needed_seconds for each in lost], _KEPT_SHARE))
    mend = f"audio.clip_seconds={np.ceil(10 * needed) / 10:.1f} would keep nearly all"
    lose = "loses" if len(lost) == 1 else "lose"
    who_loses = f"{len(lost):,} of {counted(total, 'clip')} {lose} sound"
    how_much = f"{np.median(seconds):.1f} s of it in the median, {max(seconds):.1f} s at most {names}"
    return f"cut to {audio.clip_seconds:g} s (audio.clip_seconds), {who_loses}: {how_much}; {mend}"
