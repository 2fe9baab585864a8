"""What the sizes of a learning curve come to."""

from sayso.data.clips import Clip
from sayso.studies.learning_curve.sizes import make_axis


def test_clips_without_a_speaker_are_no_clips_of_each_speaker():
    clips = [
        Clip(f"{speaker}-{word}-{place}.wav", word, speaker)
        for speaker in ("ann", "ben", None)
        for word in ("on", "off")
        for place in range(10)
    ]
    assert make_axis("clips", [clips], [4, 10, 20]).means == (4, 10, 20)
    nameless = [clip for clip in clips if clip.speaker is None]
    assert make_axis("clips", [nameless], [4, 10]).means == (4, 10)
