"""Made streams: words stand where the truth says, as loud as is said, over the background that is named."""

from itertools import pairwise

import numpy as np
import pytest

from sayso.data.made_streams import Piece, Spoken, find_active, make_stream

RATE = 8000
GAP = 2.0


def tone(seconds, *, silent_seconds=0.0, level=0.3, hertz=440.0):
    """A tone that begins and ends at once, between silences."""
    time = np.arange(round(seconds * RATE)) / RATE
    around = np.zeros(round(silent_seconds * RATE), np.float32)
    return np.concatenate((around, (level * np.sin(2 * np.pi * hertz * time)).astype(np.float32), around))


def pieces(count=3, seconds=4.0):
    rng = np.random.default_rng(1)
    length = round(seconds * RATE)
    return [Piece(f"talk {place}", (0.02 * rng.standard_normal(length)).astype(np.float32)) for place in range(count)]


def made(words, seed=0, count=3):
    return make_stream(pieces(count), words, [], np.random.default_rng(seed), sample_rate=RATE, gap_seconds=GAP)


def words(count=6):
    return [Spoken("beep", tone(0.4, silent_seconds=0.3))] * count


def test_a_word_lies_where_it_is_loud():
    first, end = find_active(tone(0.4, silent_seconds=0.3), RATE)
    assert first == pytest.approx(0.3 * RATE, abs=0.011 * RATE)
    assert end == pytest.approx(0.7 * RATE, abs=0.011 * RATE)
    soft = tone(0.2, level=0.02)
    # 24 dB below the rest, which is no part of the word.
    assert find_active(np.concatenate((soft, tone(0.4), soft)), RATE)[0] == pytest.approx(0.2 * RATE, abs=0.011 * RATE)


def test_a_word_with_an_echo_ends_where_the_clean_one_does():
    clean = tone(0.4, silent_seconds=0.3)
    echo = np.concatenate((clean, np.zeros(RATE // 2, np.float32)))
    echo[round(0.7 * RATE) :] = 0.1
    dry, wet = made([Spoken("beep", clean)]), made([Spoken("beep", echo, clean)])
    seconds = {round(one.truth[0].end - one.truth[0].start, 3) for one in (dry, wet)}
    assert len(seconds) == 1
    assert made([Spoken("beep", echo)]).truth[0].end - made([Spoken("beep", echo)]).truth[0].start > seconds.pop() + 0.3


def test_words_stand_where_the_truth_says_and_as_loud_as_it_says():
    stream, bare = made(words()), made([])
    assert len(stream.truth) == 6
    assert bare.truth == ()
    added = stream.samples - bare.samples
    covered = np.zeros(len(added), bool)
    for stretch, snr_db in zip(stream.truth, stream.snr_db, strict=True):
        assert stretch.label == "beep"
        assert stretch.end - stretch.start == pytest.approx(0.4, abs=0.03)
        place = slice(round(stretch.start * RATE), round(stretch.end * RATE))
        power, beside = np.square(added[place]).mean(), np.square(bare.samples[place]).mean()
        assert 10 * np.log10(power / beside) == pytest.approx(snr_db, abs=0.01)
        assert 5 <= snr_db <= 20
        covered[place] = True
    # The rest of each clip is silent.
    assert np.abs(added[~covered]).max() < 0.02 * np.abs(added).max()
    assert np.abs(stream.samples).max() <= 1


def test_half_of_the_words_stand_in_gaps_and_no_two_in_one_place():
    stream = made(words(), seed=3)
    assert [place.end - place.start for place in stream.places] == [GAP + 4.0] * 3
    assert stream.seconds == stream.places[-1].end
    taken = []
    for stretch in stream.truth:
        number = next(i for i, place in enumerate(stream.places) if stretch.start < place.end)
        in_gap = stretch.start < stream.places[number].start + GAP
        taken.append((number, in_gap))
    assert len(set(taken)) == 6
    assert [in_gap for _, in_gap in taken] == [True, False] * 3


@pytest.mark.parametrize("piece_seconds", [4.0, 0.8])
def test_no_word_is_said_over_another(piece_seconds):
    said = [Spoken(str(place), tone(3.0)) for place in range(6)]  # longer than the gap, and than some pieces
    for seed in range(8):
        own = pieces(seconds=piece_seconds)
        stream = make_stream(own, said, [], np.random.default_rng(seed), sample_rate=RATE, gap_seconds=GAP)
        assert len(stream.truth) == 6
        assert max(stretch.end for stretch in stream.truth) <= stream.seconds  # none is cut off
        order = sorted(stream.truth, key=lambda stretch: stretch.start)
        assert all(one.end <= other.start for one, other in pairwise(order))


def test_what_finds_no_place_is_left_out():
    assert len(made(words(9)).truth) == 6


def test_the_source_of_each_time_is_known():
    stream = made(words())
    assert sorted(place.name for place in stream.places) == ["talk 0", "talk 1", "talk 2"]
    for place in stream.places:
        assert stream.source_at(place.start) == place.name
        assert stream.source_at(place.end - 0.01) == place.name
    assert stream.source_at(1e9) == stream.places[-1].name
    assert {made(words(), seed=seed).places[0].name for seed in range(12)} == {"talk 0", "talk 1", "talk 2"}


def test_noise_that_is_given_lies_beneath_and_the_loudest_is_no_louder_than_full_scale():
    hum = tone(0.5, hertz=100.0)
    loud = [Piece("loud", np.tile(tone(1.0, level=1.0), 3))]
    stream = make_stream(loud, words(2), [hum], np.random.default_rng(0), sample_rate=RATE, gap_seconds=GAP)
    assert np.abs(stream.samples).max() == pytest.approx(1.0)
    gap = stream.samples[: round(GAP * RATE)]
    spectrum = np.abs(np.fft.rfft(np.where(np.abs(gap) > 0.9, 0, gap)))
    assert np.argmax(spectrum[: round(300 * GAP)]) == round(100 * GAP)
