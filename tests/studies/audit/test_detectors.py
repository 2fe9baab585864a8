"""Each detector names the clip that has its fault and leaves those alone that have none."""

import numpy as np
import pytest
import soundfile

from audit_made import RATE, write_set
from sayso.audio import AudioFormat, resample
from sayso.data.clips import Clip
from sayso.data.datasets.folder import FolderConfig
from sayso.data.faults.detector import against_group, spread
from sayso.data.faults.detectors.clipping import Clipping
from sayso.data.faults.discriminant import log_odds
from sayso.data.faults.recording import Recording
from sayso.studies.audit.audit import find_faults
from sayso.studies.audit.catalogue import choose_detectors, list_detectors
from sayso.studies.audit.detectors.mislabels import _doubted, _folds
from sayso.studies.audit.listening import listen
from sayso.system.progress import Progress

AUDIO = AudioFormat(sample_rate=RATE, clip_seconds=0.6, fit="loudest")


def slower(wave):
    return resample(wave.astype(np.float32), RATE // 2, RATE)


def low_pass(wave):
    spectrum = np.fft.rfft(wave)
    spectrum[np.fft.rfftfreq(len(wave), 1 / RATE) > 1800] = 0
    return np.fft.irfft(spectrum, len(wave))


FAULTS = {
    "silence": lambda wave: 0 * wave,
    "cut-off": lambda wave: wave[len(wave) // 2 :],
    "wrong-rate": slower,
    "clipping": lambda wave: np.clip(wave * 8, -0.5, 0.5),
    "offset": lambda wave: wave + 0.05,
    "band-limited": low_pass,
    "loudness": lambda wave: wave / 20,
    "length": lambda wave: np.tile(wave, 4),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Names of the clips with each fault, of a set in which every fault is once."""
    folder = write_set(tmp_path_factory.mktemp("audit") / "words", FAULTS)
    twin, rate = soundfile.read(folder / "no" / "clip7.wav")
    soundfile.write(folder / "no" / "twin.wav", 0.5 * twin, rate)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAYSO_CACHE", str(tmp_path_factory.mktemp("cache")))
        detectors = choose_detectors((), mislabels=False)
        clips = FolderConfig(path=str(folder)).listing(Progress()).clips
        with listen(clips, AUDIO, detectors, progress=Progress()) as heard:
            findings = find_faults(heard, detectors, Progress())
            names = [clip.path.rsplit("/")[-1].removesuffix(".wav") for clip in heard.corpus.clips]
    return {detector.name: [names[one.row] for one in each] for detector, each in findings.items()}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_named(found, fault):
    assert fault in found[fault]


def test_a_softer_copy_is_named(found):
    assert found["near-duplicates"] == ["twin"]


def test_few_good_clips_are_named(found):
    good = {name for names in found.values() for name in names} - set(FAULTS) - {"twin"}
    assert len(good) <= 6  # of 114


def test_every_fault_explains_itself():
    names = [detector.name for detector in list_detectors()]
    assert len(set(names)) == len(names)
    assert all(one.title and one.meaning.endswith(".") and one.threshold for one in list_detectors())


def test_findings_come_in_one_order_whatever_the_files_are_called():
    names = ["silence", "cut-off", "wrong-rate", "near-duplicates", "mislabels", "clipping", "offset"]
    assert [detector.name for detector in list_detectors()] == [*names, "band-limited", "loudness", "length"]


def test_only_asked_for_a_detector_trains():
    quick = [detector.name for detector in list_detectors() if not detector.trains]
    assert [detector.name for detector in choose_detectors((), mislabels=False)] == quick
    assert [detector.name for detector in choose_detectors(["mislabels"], mislabels=False)] == ["mislabels"]
    both = choose_detectors(["length"], mislabels=True)
    assert [detector.name for detector in both] == ["mislabels", "length"]
    assert choose_detectors((), mislabels=True)[4].name == "mislabels"


@pytest.mark.parametrize("pedestal", [0.2, -0.5])
@pytest.mark.parametrize("change", [lambda wave: wave, lambda wave: 0.2 * wave], ids=["as it is", "faint"])
def test_an_offset_changes_no_other_verdict(change, pedestal, tmp_path, monkeypatch):
    monkeypatch.setenv("SAYSO_CACHE", str(tmp_path / "cache"))
    detectors = choose_detectors((), mislabels=False)
    changes = {name: change for name in [f"clip{index}" for index in range(60)]}
    verdicts = []
    for name, offset in (("level", 0.0), ("raised", pedestal)):
        raised = {key: lambda wave, own=own, offset=offset: own(wave) + offset for key, own in changes.items()}
        clips = FolderConfig(path=str(write_set(tmp_path / name, raised))).listing(Progress()).clips
        with listen(clips, AUDIO, detectors, progress=Progress()) as heard:
            found = find_faults(heard, detectors, Progress())
        verdicts.append({detector.name: {one.row for one in each} for detector, each in found.items()})
    level, raised = verdicts
    assert len(level.pop("offset")) == 0
    assert len(raised.pop("offset")) == 120
    assert raised.pop("near-duplicates") == level.pop("near-duplicates") == set()
    differing = {name: level[name] ^ raised[name] for name in level}
    assert sum(len(rows) for rows in differing.values()) <= 4, differing


def test_the_audit_judges_what_training_gets(tmp_path, monkeypatch):
    monkeypatch.setenv("SAYSO_CACHE", str(tmp_path / "cache"))
    folder = write_set(tmp_path / "words", {}, clips=30)
    wave, _ = soundfile.read(folder / "yes" / "clip0.wav")
    soundfile.write(folder / "yes" / "clip0.wav", wave * 1.9 / np.abs(wave).max(), RATE, subtype="FLOAT")
    soundfile.write(folder / "yes" / "clip1.wav", np.rint(wave * 20_000), RATE, subtype="FLOAT")
    soundfile.write(folder / "yes" / "clip2.wav", np.stack((wave, -wave), axis=1), RATE)
    detectors = choose_detectors(["clipping", "silence", "loudness"], mislabels=False)
    clips = FolderConfig(path=str(folder)).listing(Progress()).clips
    with listen(clips, AUDIO, detectors, progress=Progress()) as heard:
        found = find_faults(heard, detectors, Progress())
        names = [clip.path.rsplit("/")[-1].removesuffix(".wav") for clip in heard.corpus.clips]
    assert {detector.name: [names[one.row] for one in each] for detector, each in found.items()} == {
        "silence": [],
        "clipping": ["clip0"],
        "loudness": [],
    }


@pytest.mark.parametrize(("rows", "length", "share"), [(40, 3, 0.0075), (40, 2, 0.0), (10, 9, 0.005625)])
def test_every_sample_of_a_flat_row_is_counted(rows, length, share):
    wave = 0.1 * np.random.default_rng(0).standard_normal(16_000)
    for place in range(rows):
        wave[4_000 + 160 * place : 4_000 + 160 * place + length] = 0.9
    assert Clipping().measure(Recording(wave.astype(np.float32), 16_000), AUDIO) == (share,)


DETECTOR = """
from sayso.data.faults.detector import Detector, Finding


class Hum(Detector):
    name, place, title = "hum", 15, "Hum"
    meaning, threshold = "Mains are to be heard.", "always"

    def find(self, values, corpus, progress, *, threads):
        yield Finding(0, 1.0, "as ever")
"""


def test_a_new_file_is_a_new_detector(program, tmp_path, monkeypatch):
    from sayso.studies.audit import detectors

    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "hum.py").write_text(DETECTOR)
    monkeypatch.setattr(detectors, "__path__", [*detectors.__path__, str(tmp_path / "new")])
    assert [detector.name for detector in list_detectors()][:3] == ["silence", "hum", "cut-off"]
    assert "  hum              Hum\n" in program("list", "detectors")[1]
    words = write_set(tmp_path / "words", {}, clips=2)
    code, text, _ = program("audit", words, "--only", "hum", "--out", tmp_path / "out")
    assert code == 0
    assert text.splitlines()[1].split()[:2] == ["hum", "1"]
    assert ",hum,1,as ever," in (tmp_path / "out" / "findings.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("samples", [1, 80, 240, 4000])
def test_a_click_in_the_last_frame_is_measured(samples):
    for height in np.linspace(0.01, 1, 50):  # where it is cut on purpose is drawn from the samples
        recording = Recording(np.append(np.zeros(samples - 1), height).astype(np.float32), RATE)
        assert all(np.isfinite(detector.measure(recording, AUDIO)).all() for detector in list_detectors())


def test_a_group_is_compared_with_itself():
    clips = [Clip(str(row), "yes", "ann" if row < 25 else "bob") for row in range(30)]
    values = np.r_[np.full(25, -40.0), np.full(5, -10.0)][:, None]
    values[0] = -10
    left = against_group(values, clips, by_word=False)[:, 0]
    assert left[0] == 30
    assert left[1] == 0
    assert left[29] == 30  # bob has too few clips to be a measure


def test_outliers_do_not_move_the_spread():
    values = np.random.default_rng(0).normal(0, 2.0, 2000)
    values[:100] = 1e6
    assert spread(values) == pytest.approx(2.0, rel=0.15)


def test_the_discriminant_tells_changed_from_unchanged():
    rng = np.random.default_rng(0)
    clips = rng.normal(0, 1, (400, 5))
    odds = log_odds(clips, clips + np.array([0, 4, 0, 0, 0]))
    assert (odds < 0).mean() > 0.95
    # Unit variance, 4 apart: the log-odds are 4 (x - 2).
    assert np.corrcoef(odds, clips[:, 1])[0, 1] > 0.97
    assert np.polyfit(clips[:, 1], odds, 1) == pytest.approx([4, -8], rel=0.2)


def test_a_label_is_doubted_when_another_word_is_as_sure_as_its_own_clips():
    targets = np.array([0, 0, 0, 1, 1, 1])
    shares = np.array([[0.9, 0.1], [0.95, 0.05], [0.02, 0.98], [0.2, 0.8], [0.1, 0.9], [0.4, 0.6]])
    assert list(_doubted(targets, shares)) == [(2, 1)]


@pytest.mark.parametrize(("speakers", "whole"), [(60, True), (6, False)])
def test_many_speakers_stay_whole_in_folds(speakers, whole):
    clips = [Clip(str(row), "yes", f"s{row % speakers}") for row in range(300)]
    folds = _folds(clips, np.zeros(300, np.int64))
    assert set(folds) == set(range(5))
    apart = all(
        len({fold for clip, fold in zip(clips, folds, strict=True) if clip.speaker == f"s{one}"}) == 1
        for one in range(speakers)
    )
    assert apart == whole


def test_the_very_same_samples_are_named_however_quiet(tmp_path):
    quiet = np.random.default_rng(0).normal(0, 10 / 2**15, (3, round(0.6 * RATE)))
    for word, wave in {"one/a": quiet[0], "one/b": quiet[0], "two/c": quiet[1], "two/d": quiet[2]}.items():
        (tmp_path / word).parent.mkdir(exist_ok=True)
        soundfile.write(tmp_path / f"{word}.wav", wave, RATE, subtype="PCM_16")
    clips = FolderConfig(path=str(tmp_path)).listing(Progress()).clips
    detectors = choose_detectors(["near-duplicates"], mislabels=False)
    with listen(clips, AUDIO, detectors, progress=Progress()) as heard:
        (found,) = find_faults(heard, detectors, Progress()).values()
        assert [heard.corpus.clips[finding.row].path for finding in found] == [str(tmp_path / "one/b.wav")]
