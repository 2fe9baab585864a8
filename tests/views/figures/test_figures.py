"""What is computed to be drawn: of clips, representations, data sets and runs."""

import numpy as np
import pytest
import soundfile

from sayso.audio import AudioFormat
from sayso.data.clips import Clip
from sayso.dsp.wavelets import wavelets
from sayso.errors import DataError, RunError, SettingsError
from sayso.experiment.run import Run
from sayso.features import FEATURES
from sayso.views.figures import save_pictures
from sayso.views.figures.clip import draw_clip, list_views
from sayso.views.figures.data import draw_clips, draw_dataset
from sayso.views.figures.heard import (
    configure_features,
    make_feature_panels,
    make_spectrogram_panel,
    place_mel_ticks,
    split_scattering_orders,
    to_decibels,
)
from sayso.views.figures.parts import draw_features
from sayso.views.figures.run import draw_run
from sayso.views.figures.sound import (
    Sound,
    make_dft_panel,
    make_vowel,
    make_waveform_panel,
    make_zoom_panel,
    read_sound,
)
from sayso.views.plots.panels import Heat
from sayso.views.plots.style import svg_text

AUDIO = AudioFormat(sample_rate=8000, clip_seconds=0.5)


def tone(hertz, *, seconds=0.5, rate=8000, amplitude=0.25):
    wave = amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    return Sound("tone", wave.astype(np.float32), AudioFormat(sample_rate=rate, clip_seconds=seconds))


@pytest.fixture
def clip_file(tmp_path):
    soundfile.write(tmp_path / "one.wav", tone(1000).wave, 8000)
    return tmp_path / "one.wav"


def labels(figure):
    return [label for axes in figure.axes for label in (axes.get_xlabel(), axes.get_ylabel()) if label]


def test_a_waveform_of_any_length_keeps_its_extremes_and_its_end():
    for seconds in (0.01, 0.5, 20):
        sound = tone(440, seconds=seconds)
        panel = make_waveform_panel(sound)
        assert panel.ys.max() == pytest.approx(sound.wave.max())
        assert panel.ys.min() == pytest.approx(sound.wave.min())
        assert panel.x[-1] == pytest.approx(seconds, rel=0.02)
        assert panel.ys.size <= 4000


@pytest.mark.parametrize("place", [0, 1000, 3999])
def test_the_zoom_holds_200_samples_with_the_loudest_among_them(place):
    wave = np.zeros(4000, np.float32)
    wave[place] = -0.9
    panel = make_zoom_panel(Sound("s", wave, AUDIO))
    assert panel.ys.shape == (1, 200)
    assert panel.ys.min() == pytest.approx(-0.9)
    assert panel.x[-1] == pytest.approx(199 / 8)


def test_the_transform_shows_a_tone_at_its_frequency_with_its_amplitude():
    panel = make_dft_panel(tone(1000))
    assert panel.x[panel.ys[0].argmax()] == pytest.approx(1000, abs=5)
    assert panel.ys.max() == pytest.approx(0.25, rel=0.01)


@pytest.mark.parametrize("power", [None, 0.5, 2.0])
def test_the_spectrogram_is_brightest_at_the_tone(power):
    panel = make_spectrogram_panel(tone(1000), power=power)
    row = panel.values[:, 20].argmax()
    assert panel.y_edges[row] < 1000 < panel.y_edges[row + 1]
    assert panel.log_y
    assert panel.y_edges[0] > 0
    if power is None:
        assert panel.values.max() == 0
        assert panel.values.min() >= -80
        assert "dB" in panel.value_label


def test_time_edges_lie_around_the_centres_of_frames():
    panel = make_spectrogram_panel(tone(1000))
    assert panel.x_edges[:2] == pytest.approx([-0.005, 0.005])
    assert len(panel.x_edges) == panel.values.shape[1] + 1


def test_ticks_on_mel_bands_stand_at_their_frequencies():
    config = configure_features("mel", AUDIO)
    for place, text in place_mel_ticks(config, AUDIO):
        hertz = float(text.replace(",", ""))
        panel = make_feature_panels(config, tone(hertz))[0]
        assert abs(panel.values[:, 20].argmax() - place) < 0.75


@pytest.mark.parametrize("kind", FEATURES.names())
def test_every_representation_can_be_drawn_with_units(kind):
    config = FEATURES.get(kind)()
    fits = AUDIO if not list(config.misfits(AUDIO)) else AudioFormat()  # what learned at one rate hears no other
    panels = make_feature_panels(config, make_vowel(fits))
    assert panels
    for panel in panels:
        assert "(" in panel.x_label
        assert "(" in panel.y_label or not isinstance(panel, Heat)
        assert np.isfinite(panel.values if isinstance(panel, Heat) else panel.ys).all()


def test_complex_values_have_a_panel_or_a_curve_for_each_part():
    spectrogram = make_feature_panels(configure_features("spectrogram", AUDIO, power=None, scale="linear"), tone(500))
    assert [panel.title.split(" (")[0] for panel in spectrogram] == [
        "spectrogram, real part",
        "spectrogram, imaginary part",
    ]


def test_orders_of_scattering_are_apart_and_the_first_has_low_frequencies_at_the_bottom():
    config = configure_features("scattering", AUDIO, max_scale_log2=5, wavelets_per_octave=4, zeroth_order=True)
    first = len(wavelets(4, 5))
    paths = np.arange(1 + first + 3, dtype=np.float64)[:, None]
    orders = split_scattering_orders(config, paths)
    assert list(orders["first order"].ravel()) == list(range(first, 0, -1))
    assert list(orders["second order"].ravel()) == [first + 1, first + 2, first + 3]
    assert list(split_scattering_orders(config, paths[: 1 + first])) == ["first order"]


def test_decibels_of_silence():
    assert (to_decibels(np.zeros((2, 2))) == -80).all()


def test_a_sheet_and_single_views(clip_file):
    whole = draw_clip(clip_file)["sheet"]
    assert len([axes for axes in whole.axes if axes.get_title(loc="left")]) >= len(list_views())
    assert all("(" in label for label in labels(whole) if "dB" not in label and "log" not in label)
    single = draw_clip(clip_file, only=["zoom", "mel", "zoom"])
    assert list(single) == ["zoom", "mel"]


def test_a_clip_too_short_for_some_views_shows_the_others(tmp_path):
    soundfile.write(tmp_path / "short.wav", tone(1000, seconds=0.005).wave, 8000)
    assert len(draw_clip(tmp_path / "short.wav")["sheet"].axes) >= 3
    with pytest.raises(SettingsError, match="window_seconds"):
        draw_clip(tmp_path / "short.wav", only=["mel"])


@pytest.mark.parametrize(
    ("settings", "says"), [({"only": ["mell"]}, "did you mean 'mel'"), ({"power": -1.0}, "power.*above 0")]
)
def test_what_cannot_be_asked_of_a_clip(clip_file, settings, says):
    with pytest.raises(SettingsError, match=says):
        draw_clip(clip_file, **settings)


def test_files_are_read_at_their_own_rate_up_to_a_minute(tmp_path):
    soundfile.write(tmp_path / "long.wav", np.zeros(61 * 2000, np.float32), 2000)
    assert read_sound(tmp_path / "long.wav").wave.shape == (60 * 2000,)


def test_mel_has_filters_a_window_and_pcen():
    pictures = draw_features("mel")
    assert list(pictures) == ["representation", "filter_bank", "one_window", "pcen_effect"]
    assert len(pictures["filter_bank"].axes[0].lines) == 40
    by_hand, by_model = (line.get_ydata() for line in pictures["one_window"].axes[2].lines)
    assert by_hand == pytest.approx(by_model, abs=0.01)  # mel = filter bank x spectrum, in dB


def test_a_recipe_is_drawn_as_its_clips_are_heard(tmp_path, clip_file):
    (tmp_path / "r.yaml").write_text(
        "dataset: {kind: fsdd}\naudio: {sample_rate: 8000}\nfeatures: {kind: mel, n_mels: 13}\n"
    )
    pictures = draw_features(str(tmp_path / "r.yaml"), clip=clip_file)
    assert len(pictures["filter_bank"].axes[0].lines) == 13
    assert pictures["filter_bank"].axes[0].get_xlim() == (0, 4000)


def test_a_kind_that_is_not_there():
    with pytest.raises(SettingsError, match="did you mean 'mfcc'"):
        draw_features("mfc")


def test_a_folder_is_drawn_with_counts_and_a_grid(tone_folder):
    pictures = draw_dataset(tone_folder)
    assert set(pictures) >= {"clips_per_word", "lengths", "spectrograms"}
    assert [bar.get_width() for bar in pictures["clips_per_word"].axes[0].patches] == [12, 12, 12]
    assert sum(bar.get_height() for bar in pictures["lengths"].axes[0].patches) == 36
    columns = [label.get_text() for label in pictures["spectrograms"].axes[0].get_xticklabels()]
    assert columns == ["high", "low", "middle"]


def clips(folder, speakers):
    return [
        Clip(path=str(path), label=path.parent.name, speaker=path.stem.split("_")[0] if speakers else None)
        for path in sorted(folder.rglob("*.wav"))
    ]


def rows_of(pictures):
    return [label.get_text() for label in pictures["spectrograms"].axes[0].get_yticklabels()]


def test_rows_of_the_grid_are_speakers_or_takes(tone_folder):
    known = clips(tone_folder, speakers=True)
    assert rows_of(draw_clips(known, AUDIO, rows=3)) == ["ann", "bob", "cas"]
    assert rows_of(draw_clips(known, AUDIO, speaker="dee")) == ["1", "2", "3"]
    assert rows_of(draw_clips(clips(tone_folder, speakers=False), AUDIO, rows=5)) == ["1", "2", "3", "4", "5"]
    scattered = [clip for clip in known if (clip.speaker, clip.label) not in {("ann", "low"), ("bob", "high")}]
    assert rows_of(draw_clips(scattered, AUDIO, rows=4)) == ["1", "2", "3", "4"]


def test_many_speakers_are_a_histogram_and_unknown_ones_are_named(tone_folder):
    paths = clips(tone_folder, speakers=False)
    many = [Clip(path=clip.path, label=clip.label, speaker=f"s{i}") for i, clip in enumerate(paths * 2)]
    axes = draw_clips(many, AUDIO)["clips_per_speaker"].axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("clips of one speaker", "speakers")
    with pytest.raises(DataError, match="did you mean 's1'"):
        draw_clips(many[:3], AUDIO, speaker="s1x")


def test_one_run_and_two(made_run, tmp_path):
    first, second = made_run("first"), made_run("second")
    one = draw_run(first)
    assert set(one) == {
        "loss_and_accuracy",
        "learning_rate",
        "confusion_matrix",
        "confusion_shares",
        "alluvial",
        "accuracy_by_speaker",
    }
    assert set(draw_run(first, second)) == set(one)
    assert "90" in [text.get_text() for text in one["confusion_shares"].axes[0].texts]
    assert "9" in [text.get_text() for text in one["confusion_matrix"].axes[0].texts]
    files = save_pictures(one, tmp_path / "new", subject="run", suffix="png")
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in files)


def test_runs_of_one_name_are_told_apart(made_run):
    twice = draw_run(made_run("a/same"), made_run("b/same"))
    assert len({text.get_text() for text in twice["alluvial"].texts}) == 2


def test_a_run_shows_itself(made_run):
    run = Run(made_run("run"))
    assert "zero (10)" in svg_text(run.show_flow())
    assert [axes.get_title(loc="left") for axes in run.show_training().axes] == ["Loss", "Accuracy"]


def test_an_unfinished_run_is_said_so(made_run):
    path = made_run("half")
    (path / "metrics.json").unlink()
    with pytest.raises(RunError, match="has not finished"):
        draw_run(path)
