"""What every registered augmentation must do, and what each one does."""

import sys

import pytest
import torch

from sayso.augment import AUGMENTATIONS, Surroundings
from sayso.augment.band_limit import BandLimitConfig
from sayso.augment.codec import CodecConfig
from sayso.augment.equaliser import EqualiserConfig
from sayso.augment.gain import GainConfig
from sayso.augment.noise import NoiseConfig
from sayso.augment.room import RoomConfig
from sayso.augment.spec_augment import SpecAugmentConfig
from sayso.augment.speed import SpeedConfig
from sayso.augment.surround import SurroundConfig
from sayso.augment.time_shift import TimeShiftConfig
from sayso.augment.vocal_tract import VocalTractConfig
from sayso.config.schema import describe, read
from sayso.errors import SettingsError
from sounds_made import pulsed_voice

RATE = 8000
OWN = [part for part in AUGMENTATIONS if part.__module__.startswith("sayso.")]


def draw(seed=0):
    return torch.Generator().manual_seed(seed)


def tone(hertz=440.0, batch=6):
    return 0.3 * torch.sin(2 * torch.pi * hertz * torch.arange(RATE) / RATE).repeat(batch, 1)


@pytest.fixture(params=list(AUGMENTATIONS), ids=lambda part: part.kind)
def part(request):
    return request.param


@pytest.fixture
def batch(part):
    return torch.randn(6, 1, 40, 61, generator=draw(5)) if part.works_on == "features" else tone()


@pytest.mark.parametrize("part", [part for part in OWN if hasattr(part, "probability")], ids=lambda part: part.kind)
@pytest.mark.parametrize("probability", [0.0, 0.5])
def test_so_many_clips_are_changed_and_the_others_left_as_they_are(part, probability):
    clips = tone(batch=400)
    out = part(probability=probability).build(Surroundings(RATE))(clips, draw())
    changed = float((out != clips).any(1).float().mean())
    assert abs(changed - probability) < 0.1 * (probability > 0) + 1e-9


@pytest.mark.parametrize("part", OWN, ids=lambda part: part.kind)
def test_settings_are_called_as_what_they_build(part):
    name = part.__name__.removesuffix("Config")
    assert part.__name__ == f"{name}Config"
    assert type(part().build(Surroundings(RATE))) is getattr(sys.modules[part.__module__], name)


def test_shape_range_and_finiteness_are_kept(part, batch):
    out = part().build(Surroundings(RATE, (torch.randn(3 * RATE) / 10,)))(batch, draw())
    assert out.shape == batch.shape
    assert out.dtype == batch.dtype
    assert torch.isfinite(out).all()
    if part.works_on == "samples":
        assert out.abs().max() <= 1


def test_the_same_generator_gives_the_same_clips_and_another_others(part, batch):
    change = part().build(Surroundings(RATE))
    assert torch.equal(change(batch, draw(1)), change(batch, draw(1)))
    assert not torch.equal(change(batch, draw(1)), change(batch, draw(2)))


def test_clips_of_a_batch_are_changed_differently(part, batch):
    batch = batch[:1].repeat(6, *[1] * (batch.ndim - 1))
    out = part().build(Surroundings(RATE))(batch, draw())
    assert not torch.equal(out[0], out[1])


def test_the_batch_given_is_left_as_it_was(part, batch):
    before = batch.clone()
    part().build(Surroundings(RATE))(batch, draw())
    assert torch.equal(batch, before)


@pytest.mark.parametrize(
    ("part", "name"), [(part, name) for part in OWN for name, *_ in describe(part) if name.endswith("_db")]
)
@pytest.mark.parametrize("decibels", [-1e4, 1e4])
def test_no_decibels_are_beyond_what_samples_hold(part, name, decibels):
    with pytest.raises(SettingsError, match=rf"{name}: is -?10000, must be at (least|most) -?\d+"):
        part(**{name: decibels})


def test_time_shift_moves_and_fills_with_silence():
    clip = torch.zeros(200, 1000)
    clip[:, 500] = 1
    out = TimeShiftConfig(most_seconds=0.01).build(Surroundings(RATE))(clip, draw())
    places = out.argmax(1) - 500
    assert out.sum() == 200
    assert places.min() == -80
    assert places.max() == 80


def test_time_shifts_have_a_middle():
    clip = torch.zeros(200, 1000)
    clip[:, 500] = 1
    out = TimeShiftConfig(most_seconds=0.01, middle_seconds=-0.02).build(Surroundings(RATE))(clip, draw())
    places = out.argmax(1) - 500
    assert (places.min(), places.max()) == (-240, -80)
    out = TimeShiftConfig(most_seconds=0.0, middle_seconds=1.0).build(Surroundings(RATE))(clip, draw())
    assert out.shape == clip.shape
    assert out.sum() == 0


def test_gain_stays_within_its_decibels():
    out = GainConfig(most_db=6).build(Surroundings(RATE))(tone(batch=500), draw())
    ratio_db = 20 * torch.log10(out.abs().amax(1) / 0.3)
    assert -6.01 < ratio_db.min() < -5.5
    assert 5.5 < ratio_db.max() < 6.01


def test_gains_have_a_middle():
    out = GainConfig(most_db=6, middle_db=-20).build(Surroundings(RATE))(tone(batch=500), draw())
    ratio_db = 20 * torch.log10(out.abs().amax(1) / 0.3)
    assert -26.01 < ratio_db.min() < -25.5
    assert -14.5 < ratio_db.max() < -13.99
    alone = GainConfig(most_db=0, middle_db=-20)
    torch.testing.assert_close(alone.build(Surroundings(RATE))(tone(), draw()), 0.1 * tone())
    assert not alone.draws


def test_speed_changes_the_pitch_by_as_much():
    out = SpeedConfig(most=0.2).build(Surroundings(RATE))(tone(400, batch=200), draw())
    peaks = torch.fft.rfft(out * torch.hann_window(RATE)).abs().argmax(1).float()
    assert 318 <= peaks.min() <= 330
    assert 470 <= peaks.max() <= 482


def test_speed_zero_changes_nothing():
    torch.testing.assert_close(SpeedConfig(most=0).build(Surroundings(RATE))(tone(), draw()), tone(), atol=1e-4, rtol=0)


@pytest.mark.parametrize("recordings", [(), (torch.randn(5 * RATE, generator=draw(9)) * 0.01,)])
def test_noise_has_the_ratio_it_was_asked_for(recordings):
    settings = NoiseConfig(probability=1, lowest_snr_db=10, highest_snr_db=10)
    out = settings.build(Surroundings(RATE, recordings))(tone(batch=50), draw())
    added = out - tone(batch=50)
    ratio_db = 10 * torch.log10(tone(batch=50).square().mean(1) / added.square().mean(1))
    torch.testing.assert_close(ratio_db, torch.full((50,), 10.0), atol=0.3, rtol=0)


def test_noise_leaves_some_clips_alone():
    out = NoiseConfig(probability=0.5).build(Surroundings(RATE))(tone(batch=400), draw())
    untouched = (out == tone(batch=400)).all(1).float().mean()
    assert 0.4 < untouched < 0.6


def test_spec_augment_hides_bands_and_stretches_no_wider_than_asked():
    ones = torch.ones(300, 1, 40, 100)
    settings = SpecAugmentConfig(frequency_masks=1, frequency_share=0.25, time_masks=1, time_share=0.1)
    out = settings.build(Surroundings(RATE))(ones, draw())
    hidden_bins = (out.sum(3) == 0).sum(2)
    hidden_frames = (out.sum(2) == 0).sum(2)
    assert 8 <= hidden_bins.max() <= 10
    assert 8 <= hidden_frames.max() <= 10
    assert out.mean() > 0.8


def test_equaliser_gains_stay_within_their_decibels():
    noise = 0.01 * torch.randn(300, RATE, generator=draw(3))
    out = EqualiserConfig(most_db=6, band_probability=0).build(Surroundings(RATE))(noise, draw())
    gains_db = 20 * torch.log10(torch.fft.rfft(out).abs() / torch.fft.rfft(noise).abs())[:, 1:-1]
    assert -6.1 < gains_db.min() < -5.5
    assert 5.5 < gains_db.max() < 6.1
    assert gains_db.diff().abs().max() < 0.3  # smooth: at most 12 dB an octave, which is 62 bins and more


def test_equaliser_ends_the_band_of_the_clips_it_limits():
    noise = 0.01 * torch.randn(400, RATE, generator=draw(3))
    config = EqualiserConfig(most_db=0, band_probability=0.5, lowest_cutoff_hz=1000, highest_cutoff_hz=2000)
    spectrum = torch.fft.rfft(config.build(Surroundings(RATE))(noise, draw())).abs()
    before = torch.fft.rfft(noise).abs()
    limited = spectrum[:, 2600:].mean(1) < 0.01 * before[:, 2600:].mean(1)
    assert 160 < limited.sum() < 240
    torch.testing.assert_close(spectrum[:, :990], before[:, :990], rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(spectrum[~limited], before[~limited], rtol=1e-3, atol=1e-3)


def test_a_room_echoes_as_long_as_it_should_and_is_as_loud():
    clicks = torch.zeros(100, RATE)
    clicks[:, 1000] = 0.5
    config = RoomConfig(
        probability=1, shortest_seconds=0.3, longest_seconds=0.3, lowest_direct_db=0, highest_direct_db=0
    )
    out = config.build(Surroundings(RATE))(clicks, draw())
    torch.testing.assert_close(out.square().sum(1), clicks.square().sum(1), rtol=0.05, atol=0)
    assert out[:, :1000].abs().max() < 1e-5  # nothing is heard before it is said
    early, late = (out[:, 1001 + start : 1001 + start + 200].square().mean() for start in (0, RATE * 3 // 20))
    # Half of the reverberation time later the echo has fallen by half of 60 dB.
    assert 10 * torch.log10(early / late) == pytest.approx(30, abs=2)


def test_some_clips_are_said_in_no_room():
    out = RoomConfig(probability=0.5).build(Surroundings(RATE))(tone(batch=400), draw())
    assert 0.4 < (out == tone(batch=400)).all(1).float().mean() < 0.6


def test_a_vocal_tract_moves_the_formants_and_not_the_pitch():
    voice = torch.from_numpy(pulsed_voice(RATE))
    out = VocalTractConfig(most=0.2).build(Surroundings(RATE))(voice.repeat(100, 1), draw())
    energy = torch.fft.rfft(out * torch.hann_window(RATE)).abs().square()
    hertz = torch.arange(RATE // 2 + 1)
    centres = (energy * hertz).sum(1) / energy.sum(1)
    assert 770 <= centres.min() <= 920
    assert 1060 <= centres.max() <= 1200
    beside_harmonics = energy[:, 50:2000:100].sum(1) / energy[:, :2000].sum(1)
    assert beside_harmonics.max() < 1e-3


def test_vocal_tract_zero_changes_nothing():
    out = VocalTractConfig(most=0).build(Surroundings(RATE))(tone(), draw())
    torch.testing.assert_close(out, tone(), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("config", "values"),
    [
        (NoiseConfig, {"lowest_snr_db": 2.0, "highest_snr_db": 1.0}),
        (EqualiserConfig, {"lowest_cutoff_hz": 2.0, "highest_cutoff_hz": 1.0}),
        (RoomConfig, {"shortest_seconds": 2.0, "longest_seconds": 1.0}),
        (RoomConfig, {"lowest_direct_db": 2.0, "highest_direct_db": 1.0}),
        (BandLimitConfig, {"lowest_start_hz": 2.0, "highest_start_hz": 1.0}),
        (BandLimitConfig, {"lowest_end_hz": 2.0, "highest_end_hz": 1.0}),
        (BandLimitConfig, {"lowest_start_hz": 2.0, "highest_start_hz": 2.0, "lowest_end_hz": 1.0}),
        (CodecConfig, {"finest_step": 2.0, "coarsest_step": 1.0}),
    ],
)
def test_a_range_that_ends_before_it_begins_is_told(config, values):
    with pytest.raises(SettingsError, match=r"is 2, above \w+, 1"):
        read(config, values)


def words(batch=8, length=RATE):
    """Bursts of a tone in digital silence, each somewhere else and of another length, (batch, samples)."""
    samples = torch.zeros(batch, length)
    for row in range(batch):
        start, end = 800 + 160 * row, 4000 + 240 * row
        samples[row, start:end] = tone(batch=1)[0, start:end]
    return samples


def surround(samples, **changes):
    return SurroundConfig(**changes).build(Surroundings(RATE))(samples, draw())


def test_surrounded_words_end_shortly_before_the_window_does():
    # So soft are the surroundings that the word's own power tells where it is.
    made = surround(words(), lowest_snr_db=50, highest_snr_db=50, neighbour=0.0, most_seconds=0.4)
    power = made.unfold(1, 80, 80).square().mean(2)
    last = [int(torch.nonzero(row > 0.01)[-1]) * 80 + 80 for row in power]
    assert all(RATE - 0.4 * RATE - 160 <= place <= RATE for place in last)
    assert max(last) - min(last) > 0.1 * RATE


def test_nothing_around_a_word_is_zero_and_it_is_as_loud_as_is_asked():
    made = surround(words(), lowest_snr_db=10, highest_snr_db=10, neighbour=0.0, most_seconds=0.0)
    assert bool((made != 0).all(dim=1).all())
    # The word's power is 0.045, and it ends with the window; before it there are the surroundings alone.
    for row in made:
        around = float(row[: RATE // 4].square().mean())
        assert 0.0045 * 0.8 < around < 0.0045 * 1.5


def test_words_stand_in_other_speech_where_there_is_some():
    speech = [torch.sin(2 * torch.pi * 1000 * torch.arange(4 * RATE) / RATE)]
    config = SurroundConfig(speech=1.0, lowest_snr_db=0, highest_snr_db=0, neighbour=0.0, most_seconds=0.0)
    made = config.build(Surroundings(RATE, (), speech))(words(), draw())
    spectrum = torch.fft.rfft(made[:, : RATE // 4]).abs()
    # 1,000 Hz is bin 250 of a quarter of a second.
    assert bool((spectrum.argmax(1) == 250).all())


def test_another_word_of_the_batch_stands_before():
    rows = words(2)
    rows[1] = torch.where(rows[1] != 0, tone(1500.0, 1)[0], 0.0)
    made = surround(rows, lowest_snr_db=60, highest_snr_db=60, neighbour=1.0, most_seconds=0.0)
    spectrum = torch.fft.rfft(made[0]).abs()
    assert spectrum[440] > 100 * spectrum[600]
    assert spectrum[1450:1550].max() > 0.1 * spectrum[440]


def test_surroundings_without_order_are_told():
    with pytest.raises(SettingsError, match="lowest_snr_db"):
        SurroundConfig(lowest_snr_db=20, highest_snr_db=10)
