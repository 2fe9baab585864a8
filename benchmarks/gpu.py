"""Training the luz convnet on a GPU: the tutorial's loop beside Sayso's, on as many words as Speech Commands v0.01 has.

Clips are noise, as what they hold costs nothing, so that no recordings are needed. The loop is the tutorial's where its
network lies on a GPU: the processor makes each clip's spectrogram and hands over whole batches.

`python -m benchmarks.gpu` tries the contest on few clips with what is here, a GPU or not.
"""

import numpy as np
import torch

from benchmarks.contest import Contest, NotHereError
from benchmarks.convnet_training import training_contest
from benchmarks.peers.trainings import WORDS, find_device

SAMPLES = 16_000
# All is what trains of 64,727 clips, 60 %; of fewer than 2,588 Sayso would keep the spectrograms instead.
TRIED_CLIPS, CLIPS, FULL_CLIPS = 128, 7_680, 38_836


def contest(*, full: bool) -> Contest:
    """Set the contest up: batches of 128, (2, 257, 101), thirty words.

    Raises:
        NotHereError: torch finds no GPU.
    """
    if not torch.cuda.is_available():
        raise NotHereError("needs a GPU that torch can use; `python -m benchmarks.gpu` tries it on processors")
    return _contest_of(FULL_CLIPS if full else CLIPS, least=5)


def main() -> None:
    """Hold it once, small, on whatever is here."""
    tried = _contest_of(TRIED_CLIPS, least=None)
    try:
        print("\n".join(tried.table(tried.hold(rounds=1))))
    finally:
        for close in tried.close:
            close()


def _contest_of(clips: int, *, least: float | None) -> Contest:
    device = find_device("gpu")
    where = torch.cuda.get_device_name() if device.type == "cuda" else "processors, as no GPU is here"
    noise = np.random.default_rng(0).standard_normal((clips, SAMPLES), dtype=np.float32).clip(-9, 9) / 10
    title = f"training the luz convnet on a GPU, complex spectrograms: {clips:,} made clips of {WORDS['gpu']} words"
    return training_contest(noise, on="gpu", title=title, least=least, notes=(f"held on {where}",))


if __name__ == "__main__":
    main()
