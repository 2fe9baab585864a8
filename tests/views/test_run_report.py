import base64
import io
import re
from functools import cache
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile

from sayso.data.datasets.folder import FolderConfig
from sayso.data.datasets.fsdd import FsddConfig
from sayso.data.datasets.mixed import MixedConfig
from sayso.data.datasets.synthetic import SyntheticConfig
from sayso.errors import OutputError
from sayso.views.plots.confidence import draw_false_accepts, draw_reliability_diagram, draw_risk_coverage_curve
from sayso.views.plots.confusion import draw_confusion_matrix
from sayso.views.plots.curves import draw_loss_and_accuracy
from sayso.views.plots.flow import draw_alluvial
from sayso.views.plots.speakers import draw_accuracy_by_speaker
from sayso.views.plots.style import svg_text
from sayso.views.run_report import Mistake, RunReport, write_report

NASTY = "<b>&\"'"
VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """Reads a page and complains about elements that are closed wrongly."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("style", "script"):
            self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())


def scores(labels, speakers):
    return {
        "accuracy": 0.9633,
        "accuracy_ci95": [0.936, 0.979],
        "n": 300,
        "errors": 2,
        "loss": 0.0712,
        "ece": 0.0123,
        "speakers": len(speakers),
        "speaker_accuracy_ci95": [0.911, 0.993] if speakers else None,
        "per_class": {w: {"n": 30, "precision": None, "recall": 0.9, "f1": 0.95} for w in labels},
        "per_speaker": {
            s: {"n": 50, "accuracy": 0.9 + i / 50, "accuracy_ci95": [0.8, 0.99]} for i, s in enumerate(speakers)
        },
        "confusion": {"labels": labels, "counts": np.full((len(labels), len(labels)), 2).tolist()},
    }


@cache
def figures(labels, speakers):
    log = [{"epoch": 1, "set": "train", "loss": 1.0, "accuracy": 0.5}]
    test = scores(labels, speakers)
    return {
        "loss_and_accuracy": svg_text(draw_loss_and_accuracy(log)),
        "confusion_matrix": svg_text(draw_confusion_matrix(np.array(test["confusion"]["counts"]), labels)),
        "alluvial": svg_text(draw_alluvial(np.array(test["confusion"]["counts"]), labels)),
        "accuracy_by_speaker": svg_text(draw_accuracy_by_speaker(test["per_speaker"])),
    }


def mistake(i=0, label="no", predicted="yes", speaker="theo", sample_rate=8_000):
    samples = np.random.default_rng(i).integers(-5_000, 5_000, sample_rate // 2).astype(np.int16)
    return Mistake(f"{label}/{i}.wav", label, predicted, 0.5 + i / 100, speaker, samples, sample_rate)


def report(tmp_path, *, labels=("no", "yes"), speakers=("theo", "ann"), **changes):
    labels, speakers = list(labels), list(speakers)
    test = scores(labels, speakers) | changes.pop("test", {})
    arguments = {
        "title": "digits-1",
        "metrics": {"test": test, "train": {"accuracy": 1.0}, "parameters": 9166},
        "manifest": {
            "seed": 123456789,
            "versions": {"torch": "2.13.0"},
            "data_hash": "ab" * 32,
            "threads": None,
            "export": {"max_abs_difference": 3.1e-6, "limit": 1e-3},
            "split": "official",
            "epochs": 1,
            "notes": ["speakers are not known"],
        },
        "recipe_yaml": "features: {kind: mel}\nmodel: {kind: conv}\n",
        "mistakes": [mistake(1), mistake(2, label="yes", predicted="no", speaker=None)],
        "skipped": [("no/broken.wav", "cannot be read as sound")],
        "figures": figures(tuple(labels), tuple(speakers)),
    }
    arguments["manifest"] |= changes.pop("facts", {})
    path = tmp_path / "report.html"
    write_report(path, RunReport(**(arguments | changes)))
    return path.read_text(encoding="utf-8")


def test_a_word_that_is_never_recognised_stands_beside_the_number(tmp_path):
    words = {
        "on": {"n": 20, "precision": 0.909, "recall": 1.0, "f1": 0.952},
        "off": {"n": 2, "precision": None, "recall": 0.0, "f1": None},
        "up": {"n": 0, "precision": None, "recall": None, "f1": None},
    }
    said = Page(report(tmp_path, test={"per_class": words})).words
    assert (
        said.index("95 % interval") < said.index("'off' is never recognised (0 of 2 clips)") < said.index("test loss")
    )
    assert "never recognised" not in Page(report(tmp_path)).words


def test_whether_speakers_are_shared_stands_beside_the_number(tmp_path):
    test = scores(["a", "b"], ["theo", "ann"])
    metrics = {"test": test, "parameters": None}
    said = Page(report(tmp_path, metrics=metrics, facts={"split": "random", "speakers_shared": 2})).words
    assert said.index("95 % interval") < said.index("random split: speakers shared") < said.index("same voices")


def test_the_number_comes_with_its_interval_split_and_notes(tmp_path):
    words = Page(report(tmp_path)).words
    head = words[: words.index("What it got wrong")]
    for said in ("96.3", "of 300 test clips", "93.6", "97.9", "official split", "91.1", "2 speakers"):
        assert said in head
    assert "speakers are not known" in head


@pytest.mark.parametrize(
    ("split", "said"), [("random", "same voices"), ("speakers", "not heard in training"), ("x", "x")]
)
def test_each_split_is_explained(tmp_path, split, said):
    metrics = {"test": scores(["a", "b"], []), "parameters": None}
    assert said in Page(report(tmp_path, metrics=metrics, facts={"split": split})).words


def test_every_mistake_can_be_heard_and_seen(tmp_path):
    page = Page(report(tmp_path, mistakes=[mistake(i) for i in range(7)]))
    assert len(page.all("audio")) == len(page.all("img")) == 7
    for player in page.all("audio"):
        assert player["preload"] == "none"
        assert "controls" in player
        kind, content = player["src"].split(";base64,")
        assert kind == "data:audio/flac"
        samples, rate = soundfile.read(io.BytesIO(base64.b64decode(content)), dtype="int16")
        assert (rate, samples.shape) == (8_000, (4_000,))
    for picture in page.all("img"):
        assert picture["alt"].startswith("Spectrogram of no/")
        assert base64.b64decode(picture["src"].removeprefix("data:image/png;base64,")).startswith(b"\x89PNG")
    assert "/home/me" not in page.words


def test_the_sound_is_the_clip_itself(tmp_path):
    page = Page(report(tmp_path, mistakes=[mistake(3, sample_rate=16_000)]))
    samples, _ = soundfile.read(io.BytesIO(base64.b64decode(page.all("audio")[0]["src"].split(",")[1])), dtype="int16")
    np.testing.assert_array_equal(samples, mistake(3, sample_rate=16_000).samples)


@pytest.mark.parametrize("sample_rate", [1_000, 11_025, 65_537, 192_000])
def test_odd_sample_rates_can_be_heard_too(tmp_path, sample_rate):
    page = Page(report(tmp_path, mistakes=[mistake(sample_rate=sample_rate)]))
    content = page.all("audio")[0]["src"].split(",")[1]
    assert soundfile.info(io.BytesIO(base64.b64decode(content))).samplerate == sample_rate


def test_the_surest_mistake_comes_first(tmp_path):
    page = Page(report(tmp_path, mistakes=[mistake(i) for i in (3, 9, 1)]))
    assert [float(item["data-probability"]) for item in page.all("li") if "data-name" in item] == [0.59, 0.53, 0.51]


def test_markup_in_names_stays_text(tmp_path):
    nasty = [mistake(1, label=NASTY, predicted="</script><script>alert(1)</script>", speaker=NASTY)]
    text = report(
        tmp_path,
        labels=[NASTY, "yes"],
        speakers=[NASTY],
        mistakes=nasty,
        title=NASTY,
        facts={"notes": [NASTY]},
        recipe_yaml=f"# {NASTY}\n",
        skipped=[(NASTY, NASTY)],
        manifest={NASTY: NASTY, "versions": {NASTY: NASTY}},
    )
    page = Page(text)
    assert len(page.all("script")) == 1
    # The only bold words are the template's own: said, heard, and the speaker least understood if several.
    assert len(page.all("b")) == 2
    assert page.words.count(NASTY) >= 12
    assert any(item.get("data-label") == NASTY for item in page.all("li"))


@pytest.mark.parametrize("label", ["打开", "здравствуй", "γειά σου", "two words", "العربية"])
def test_any_script(tmp_path, label):
    page = Page(report(tmp_path, labels=[label, "yes"], speakers=[label], mistakes=[mistake(label=label)]))
    assert page.words.count(label) >= 6


def test_names_that_are_no_text(tmp_path):
    assert "?" in report(tmp_path, skipped=[("bad\udcff.wav", "cannot be read as sound")])


def test_nothing_is_loaded_from_anywhere(tmp_path):
    text = report(tmp_path)
    assert "http://" not in text
    assert "https://" not in text
    for _, attributes in Page(text).tags:
        for name in ("src", "href", "xlink:href", "srcset", "data", "action"):
            assert (attributes.get(name) or "#").startswith(("data:", "#"))
    assert set(re.findall(r"url\((.)", text)) <= {"#"}
    assert "@import" not in text


def test_the_page_can_be_read_by_everyone(tmp_path):
    page = Page(report(tmp_path))
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("h1")) == 1
    assert all("scope" in header for header in page.all("th"))
    assert all(picture["aria-label"] for picture in page.all("svg"))
    ids = [attributes["id"] for _, attributes in page.tags if attributes.get("id")]
    assert len(ids) == len(set(ids))
    for _, attributes in page.tags:
        for target in (attributes.get("aria-labelledby"), (attributes.get("href") or "").removeprefix("#")):
            assert not target or target in ids


def test_tables_figures_recipe_manifest_and_commands(tmp_path):
    page = Page(report(tmp_path))
    assert len(page.all("svg")) == 4
    for said in (
        "Least well understood: theo",
        "no/broken.wav cannot be read as sound",
        "features: {kind: mel}",
        "9,166 parameters",
        "123456789",
        "versions: torch 2.13.0",
        "ab" * 32,
        "at most 3.1e-06 (limit 0.001)",
        "sayso train recipe.yaml",
        "sayso predict FILE --model",
    ):
        assert said in page.words


def test_no_mistakes_no_speakers_no_figures_no_numbers(tmp_path):
    nothing = dict.fromkeys(("accuracy", "accuracy_ci95", "loss", "ece", "speaker_accuracy_ci95"))
    empty = {"n": 10, "errors": 0, "speakers": 0, "per_class": {}, "per_speaker": {}, "confusion": None}
    page = Page(
        report(
            tmp_path,
            metrics={"test": nothing | empty, "parameters": None},
            manifest={},
            recipe_yaml="{",
            mistakes=[],
            skipped=[],
            figures={},
        )
    )
    assert "every test clip was recognised" in page.words
    assert page.all("audio") == page.all("svg") == page.all("form") == []


def test_fewer_shown_than_made_is_said(tmp_path):
    assert "2 of the 5 clips" in Page(report(tmp_path, test={"errors": 5})).words
    assert "Every test clip" in Page(report(tmp_path)).words


def test_only_all_is_100_percent(tmp_path):
    words = Page(report(tmp_path, test={"accuracy": 0.99996, "accuracy_ci95": [0.99, 1.0]})).words
    assert "> 99.9 %" in words
    assert "100.0 %" in words


def test_confidence_and_rejection_have_sections_where_they_were_measured(tmp_path):
    assert "What its confidence is worth" not in Page(report(tmp_path)).words
    share = {"rate": 0.25, "ci95": [0.2, 0.3], "speaker_ci95": None, "n": 40}
    calibration = {
        "fitted_on": "validation", "fitted_on_clips": 216, "temperature": 0.6261,
        "test_ece_before": 0.0895, "test_ece_after": 0.0272,
    }  # fmt: skip
    rejection = {
        "words": ["maybe", NASTY], "threshold": 0.665, "threshold_from": "validation", "auroc": 0.885,
        "auroc_ci95": None, "false_reject": share | {"n": 300}, "false_accept": share,
        "false_accept_rate_at_5_percent": 0.45, "curve": [[0, 1], [1, 0]],
    }  # fmt: skip
    risk = {"aurc": 0.012, "coverage_at_1_percent_risk": 0.954, "curve": [[0.5, 0.0], [1.0, 0.04]]}
    test = scores(["no", "yes"], ["theo", "ann"]) | {"risk_coverage": risk, "worst_speaker": "theo"}
    metrics = {"test": test, "parameters": 1, "calibration": calibration, "rejection": rejection}
    drawn = {
        "risk_coverage": svg_text(draw_risk_coverage_curve(risk)),
        "rejection": svg_text(draw_false_accepts(rejection)),
        "reliability": svg_text(draw_reliability_diagram([{"n": 3, "confidence": 0.9, "accuracy": 1.0}])),
    }
    page = Page(report(tmp_path, metrics=metrics, figures=drawn))
    for said in (
        "216 validation clips (temperature 0.6261)",
        "was 8.9 % before and is 2.7 % after",
        "95.4 % of these test clips could have been answered",
        f"40 clips of maybe, {NASTY} were kept from training",
        "worst speaker theo 90.0 % of 50 clips",
        "turn away at most 5 % of the known words among the validation clips",
    ):
        assert said in page.words
    assert len(page.all("svg")) == 3


def test_an_unknown_figure_has_a_section(tmp_path):
    page = Page(report(tmp_path, figures={"roc_curve": svg_text(draw_loss_and_accuracy([]))}))
    assert "Roc curve" in page.words
    assert [svg["aria-label"] for svg in page.all("svg")] == ["roc curve"]


def test_the_same_arguments_give_the_same_bytes_of_a_fair_size(tmp_path):
    mistakes = [mistake(i) for i in range(30)]
    first = report(tmp_path, mistakes=mistakes)
    assert first == report(tmp_path, mistakes=mistakes)
    assert len(first) < 120_000 + 30 * 30_000


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="a file stands where a folder is needed"):
        report(tmp_path / "file")


def test_a_page_with_clips_carries_their_licence(tmp_path):
    licences = FsddConfig().licences()
    assert licences == ("Free Spoken Digit Dataset (Z. Jakobovski and others), CC BY-SA 4.0",)
    mixed = MixedConfig(recordings=FsddConfig(), training=(FolderConfig(path="mine"), SyntheticConfig()))
    assert mixed.licences() == (*licences, *SyntheticConfig().licences())
    assert f"The clips on this page: {licences[0]}." in Page(report(tmp_path, clip_licences=licences)).words
    assert "The clips on this page" not in Page(report(tmp_path)).words
