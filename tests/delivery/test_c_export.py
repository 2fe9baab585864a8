"""A model as C: compiled by the system's compiler, and held against onnxruntime."""

import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from c_made import (
    HOP,
    LENGTH,
    WORDS,
    Maker,
    expected_logits,
    make_sound,
    make_stream_model,
    needs_compiler,
    run_program,
    write_model,
)
from conftest import one_line
from models_made import loudness_model
from runs_made import small_recipe
from sayso.classifier.export import export
from sayso.classifier.module import Classifier
from sayso.delivery.c import export_c
from sayso.delivery.c.lowering import OPERATORS
from sayso.delivery.c.measure import stack_limit
from sayso.delivery.c.other import write_other_program
from sayso.delivery.model_bytes import with_metadata
from sayso.errors import ModelError
from sayso.runtime.stream import Stream

DECISIONS = {
    "with a gate": {"gate_db": -35.0, "smoothing": 3, "refractory_seconds": 0.2},
    "held, with a margin, and one word easier": {
        "least_seconds": 0.04,
        "margin": 0.2,
        "threshold": 0.3,
        "thresholds": [{"word": "down", "threshold": 0.2}],
    },
}


@needs_compiler
@pytest.mark.parametrize(
    ("weights", "limit", "is_carried"),
    [
        pytest.param("float", 1e-4, True, id="float"),
        pytest.param("int8", 0.05, True, id="int8"),
        pytest.param("float", 1e-4, False, id="float by windows"),
        pytest.param("int8", 0.05, False, id="int8 by windows", marks=pytest.mark.slow),
    ],
)
def test_every_hop_is_answered_as_by_onnxruntime(tmp_path, is_carried, weights, limit):
    model = make_stream_model(tmp_path / "model", is_carried=is_carried)
    done = export_c(model, tmp_path / "c", weights=weights)
    samples = make_sound(6)
    hops, words = run_program(done.folder, samples)
    expected = expected_logits(model, samples)
    assert hops.shape == expected.shape
    assert np.ptp(expected, axis=0).max() > 1
    difference = np.abs(hops - expected).max()
    assert difference <= limit
    if weights == "int8":
        assert difference > 1e-4
        assert "int8_t" in (done.folder / "sayso_model.c").read_text()
    assert done.measured.max_abs_difference <= limit
    if weights == "float":
        assert words == [(round(each.end, 3), each.word) for each in Stream(model).feed(samples)]


@needs_compiler
@pytest.mark.parametrize("settings", DECISIONS.values(), ids=DECISIONS)
def test_the_same_words_are_detected_at_the_same_times(tmp_path, settings):
    model = make_stream_model(tmp_path / "model", louder=2.0, **settings)
    folder = export_c(model, tmp_path / "c").folder
    samples = make_sound(30)
    hops, words = run_program(folder, samples)
    stream = Stream(model)
    judged = stream.judge(samples)
    assert len(hops) == len(judged)
    expected = [(round(each.detection.end, 3), each.detection.word) for each in judged if each.detection]
    assert words == expected
    assert len(expected) >= 5
    assert (len(judged) < (len(samples) - LENGTH) // HOP) == ("gate_db" in settings)


@needs_compiler
def test_it_needs_nothing_but_a_few_functions_and_little_room(tmp_path):
    done = export_c(make_stream_model(tmp_path / "model"), tmp_path / "c")
    subprocess.run(["make", "--silent", "--directory", done.folder, "libsayso.a"], check=True)
    told = subprocess.run(["nm", "--undefined-only", done.folder / "libsayso.a"], check=True, capture_output=True)
    asked = set(re.findall(r"U (\w+)", told.stdout.decode()))
    assert {each for each in asked if not each.startswith("sayso_")} <= {
        *("expf", "logf", "powf", "sqrtf", "tanhf", "memcpy", "memmove", "memset", "_GLOBAL_OFFSET_TABLE_"),
    }
    measured, program = done.measured, done.program
    # What is heard, carried and handed on is all but a hundred numbers of decisions.
    assert done.static_bytes <= measured.static_bytes <= done.static_bytes + 600
    assert program.constant_bytes <= measured.flash_bytes <= program.constant_bytes + 12_000
    assert measured.stack_bytes < 1500


@needs_compiler
def test_the_check_that_goes_with_it_fails_where_answers_differ(tmp_path):
    folder = export_c(make_stream_model(tmp_path / "model"), tmp_path / "c").folder
    make = ["make", "--silent", "--directory", str(folder), "check"]
    assert subprocess.run(make, check=True, capture_output=True).stdout.startswith(b"same answers: 24 of 24 hops")
    source = folder / "sayso_model.c"
    numbers = re.search(r"static const float (\w+)\[8\] = \{\n    (\S+)f,", source.read_text())
    source.write_text(source.read_text().replace(numbers[2], str(float(numbers[2]) + 0.01), 1))
    done = subprocess.run(make, check=False, capture_output=True)
    assert done.returncode
    assert done.stdout.startswith(b"OTHER ANSWERS")


def many_operators(maker):
    """A graph in which every operator of the export does something that reaches the logits."""
    add, number = maker.add, maker.number
    x = add("Reshape", "samples", number([-1, 2, 4, 16]))
    x = add("Pad", x, number([0, 0, 1, 2, 0, 0, 0, 1]), number(np.float32(0.25)))  # (batch, 2, 5, 19)
    x = add("Conv", x, maker.drawn(4, 2, 3, 3), maker.drawn(4), strides=[1, 2], pads=[1, 0, 1, 2], dilations=[1, 2])
    # Of each row of each channel for itself, so that no convolution takes it up.
    moments = [maker.drawn(20), maker.drawn(20), maker.drawn(20), number(np.linspace(0.5, 2, 20, dtype=np.float32))]
    x = add("BatchNormalization", add("Reshape", x, number([-1, 20, 9])), *moments, epsilon=1e-3)
    x = add("Reshape", x, number([-1, 4, 5, 9]))
    pools = [
        add("MaxPool", x, kernel_shape=[2, 3], strides=[1, 2], pads=[1, 1, 0, 1]),
        add("AveragePool", x, kernel_shape=[2, 3], strides=[1, 2], pads=[1, 1, 0, 1], count_include_pad=1),
        add("AveragePool", x, kernel_shape=[2, 3], strides=[1, 2], pads=[1, 1, 0, 1]),
    ]
    x = add("Concat", add("Max", pools[0], pools[1]), add("Min", pools[1], pools[2]), axis=1)
    x = add("Transpose", x, perm=[0, 2, 3, 1])
    x = add("MatMul", x, maker.drawn(8, 6))
    x = add("Slice", x, number([-1, 0]), number([-100, 100]), number([1, 2]), number([-1, 2]))
    x = add("Gather", x, number([4, 2, 0]), axis=3)
    parts = [
        add("Sigmoid", x),
        add("Tanh", add("Neg", x)),
        add("Sqrt", add("Abs", x)),
        add("Log", add("Add", add("Exp", x), number(np.float32(1)))),
        add("LeakyRelu", x, alpha=0.2),
        add("Clip", x, number(np.float32(-0.5)), number(np.float32(0.5))),
        add("Pow", add("Abs", x), number(np.float32(1.5))),
        add("Relu", add("Sub", number(np.float32(0.1)), x)),
        add("Div", x, add("Add", add("Mul", x, x), number(np.float32([[2, 3, 4]])))),
    ]
    x = add("Concat", *(add("Identity", each) for each in parts), axis=1)  # (batch, rows, columns, 3)
    pooled = [add("GlobalAveragePool", x), add("GlobalMaxPool", x), add("ReduceSum", x, number([2, 3]))]
    flat = [add("Flatten", add("Dropout", each)) for each in pooled]
    most = add("ReduceMax", x, number([1]), keepdims=0)
    flat.append(add("Flatten", add("Unsqueeze", add("ReduceMean", most, number([2]), keepdims=0), number([1]))))
    x = add("Concat", *flat, axis=1)  # (batch, 138)
    x = add("Squeeze", add("Unsqueeze", x, number([1])), number([1]))
    add("Gemm", x, maker.drawn(5, 138), maker.drawn(5), transB=1, name="logits")


@needs_compiler
def test_every_operator_that_it_knows_gives_what_onnxruntime_gives(tmp_path):
    maker = Maker()
    many_operators(maker)
    own = {node.op_type for node in maker.nodes}
    assert own == {each for each in OPERATORS if not each.startswith("sayso.")} | {"BatchNormalization"}
    model = write_model(tmp_path / "model.onnx", maker, length=128)
    done = export_c(model, tmp_path / "c")
    samples = make_sound(6)
    hops, _ = run_program(done.folder, samples)
    expected = expected_logits(model, samples)
    assert np.abs(hops - expected).max() <= 1e-4
    assert np.ptp(expected, axis=0).min() > 0.01


def test_answers_at_several_speeds_are_told_to_have_no_form(tmp_path, tone_folder, monkeypatch):
    monkeypatch.setattr("sayso.delivery.c.other.is_here", lambda: False)
    recipe = replace(small_recipe(tone_folder), test_time_speeds=(0.9, 1.1))
    classifier = Classifier(recipe, ("up", "down")).eval()
    clips = np.random.default_rng(0).integers(-9000, 9000, (3, classifier.audio.clip_samples)).astype(np.int16)
    export(classifier, tmp_path / "model.onnx", clips)
    with pytest.raises(ModelError, match=r"several speeds \(test_time_speeds\) has no form in C"):
        export_c(tmp_path / "model.onnx", tmp_path / "c")


@pytest.fixture
def other_model(tmp_path):
    """A model with operators of which Sayso writes none."""
    maker = Maker()
    x = maker.add("HardSwish", maker.add("Softplus", "samples"))
    maker.add("Gemm", x, maker.drawn(5, LENGTH), transB=1, name="logits")
    return write_model(tmp_path / "model.onnx", maker)


def test_an_operator_without_a_form_in_c_is_named_with_the_parts_that_work(tmp_path, program, monkeypatch, other_model):
    named = "model.onnx: HardSwish, Softplus has no form in C; what has: features mel, "
    code, out, err = program("export", other_model, "--c", tmp_path / "c", "--weights", "int8")
    assert (code, out) == (2, "")
    assert named in one_line(err)
    assert err.strip().endswith("as --weights float emx-onnx-cgen may write it, for other boards than small ones")
    monkeypatch.setattr("sayso.delivery.c.other.is_here", lambda: False)
    code, out, err = program("export", other_model, "--c", tmp_path / "c")
    assert (code, out) == (2, "")
    assert named in one_line(err)
    assert "for other boards than small ones: pip install" in err
    assert not (tmp_path / "c").exists()


def test_emx_onnx_cgen_is_given_what_is_read_backwards_as_places(tmp_path):
    model = make_stream_model(tmp_path / "model", is_carried=False)  # its frames are folded
    assert "sayso_graph" in write_other_program(model.read_bytes(), LENGTH).text


@pytest.mark.slow
@needs_compiler
def test_what_emx_onnx_cgen_writes_is_told_to_be_for_no_small_board(tmp_path, program, other_model):
    code, out, err = program("export", other_model, "--c", tmp_path / "c")
    assert code == 0
    assert "note: HardSwish, Softplus: written by emx-onnx-cgen, not for small boards" in err
    assert "agrees       with model.onnx: logits differ by " in out


def test_what_is_no_model_or_no_place_is_refused(tmp_path, program):
    model = loudness_model(tmp_path / "model.onnx")
    small = tmp_path / "small" / "model.onnx"
    small.parent.mkdir()
    small.write_bytes(with_metadata(model.read_bytes(), {"int8": "{}"}))
    told = {
        (model,): "export: needs to know what to make: --web DIR a page, --int8 a smaller model, --c DIR C source",
        (tmp_path / "nothing.onnx", "--c", tmp_path / "c"): "no such model file",
        (model, "--c", tmp_path): "is there already; choose a new folder, or remove it first",
        (model, "--c", model): "is a file; choose a folder",
        (small, "--c", tmp_path / "c"): "is int8 already; name the run that it was made from, with --weights int8",
        (model, "--c", tmp_path / "c", "--names"): "has none, but the folder of its run may; name that",
    }
    for asked, sentence in told.items():
        code, out, err = program("export", *asked)
        assert (code, out) == (2, "")
        assert sentence in one_line(err)
    assert {path.name for path in tmp_path.iterdir()} == {"model.onnx", "small"}


@needs_compiler
@pytest.mark.parametrize("name", ["two\nlines", "a\ttab", "it's $5 — größer"])
def test_a_folder_may_be_called_as_it_likes(tmp_path, name):
    done = export_c(make_stream_model(tmp_path / "model"), tmp_path / name)
    assert done.measured.max_abs_difference < 1e-4
    assert 0 < done.measured.stack_bytes < 1500


@needs_compiler
def test_logits_that_are_large_may_differ_as_much_as_float32_rounds_them(tmp_path):
    maker = Maker()
    weights = maker.number((1000 * maker.rng.standard_normal((5, LENGTH)) / np.sqrt(LENGTH)).astype(np.float32))
    maker.add("Gemm", "samples", weights, transB=1, name="logits")
    model = write_model(tmp_path / "model.onnx", maker)
    largest = np.abs(expected_logits(model, make_sound(LENGTH + HOP * 23))).max()
    assert largest > 20
    done = export_c(model, tmp_path / "c")
    limit = re.search(r"SAYSO_CHECK_LIMIT (\S+?)f?\n", (tmp_path / "c" / "sayso_check.h").read_text())
    assert float(limit[1]) > 1e-3
    assert done.measured.max_abs_difference < float(limit[1])


@needs_compiler
def test_calls_that_need_more_stack_than_a_program_gets_are_given_it(tmp_path, monkeypatch):
    assert stack_limit(None) is stack_limit(1_000_000) is None
    assert stack_limit(39_000_000) * 1024 > 39_000_000
    monkeypatch.setattr("sayso.delivery.c.measure._USUAL_STACK", 100)
    ran = []
    real = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda command, **keys: ran.append(command) or real(command, **keys))
    done = export_c(make_stream_model(tmp_path / "model"), tmp_path / "c")
    assert f"ulimit -s {stack_limit(done.measured.stack_bytes)} && ./check" in [command[-1] for command in ran]


@needs_compiler
def test_a_threshold_of_one_is_above_all_scores_of_the_program(tmp_path):
    thresholds = [{"word": WORDS[0], "threshold": 1.0}, {"word": WORDS[1], "threshold": 0.99999999}]
    done = export_c(make_stream_model(tmp_path / "model", thresholds=thresholds), tmp_path / "c")
    assert "{2.0f, 2.0f, " in (done.folder / "sayso_words.c").read_text()


def test_without_a_compiler_it_is_written_and_said_that_nothing_was_compared(tmp_path, program, monkeypatch):
    monkeypatch.setattr("sayso.delivery.c.measure.find_compiler", lambda: None)
    model = make_stream_model(tmp_path / "model")
    code, out, err = program("export", model, "--c", tmp_path / "my c")
    assert code == 0
    assert f"make -C '{tmp_path / 'my c'}' check" in out
    assert "note: there is no C compiler here, so that nothing was compared; `make check` does so" in err
    assert re.search(r"^constants +[\d.]+ kB$", out, re.MULTILINE)
    assert "flash" not in out
    names = {path.name for path in (tmp_path / "my c").iterdir()}
    assert names >= {"sayso.h", "sayso.c", "sayso_model.c", "check.c", "Makefile", "MODEL_CARD.md", "LICENSES"}


def test_without_the_package_onnx_the_extra_is_named(tmp_path, program, monkeypatch):
    model = make_stream_model(tmp_path / "model")
    monkeypatch.setitem(sys.modules, "onnx", None)
    code, out, err = program("export", model, "--c", tmp_path / "c")
    assert (code, out) == (2, "")
    assert one_line(err).startswith("sayso: models as C need an extra that is not installed: pip install")
    assert "[c]" in err


@needs_compiler
def test_the_program_tells_what_it_costs(tmp_path, program):
    model = make_stream_model(tmp_path / "model")
    code, out, err = program("export", model.parent, "--c", tmp_path / "c", "--weights", "int8")
    assert (code, err) == (0, "")
    told = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert told["work"].endswith(" multiply-adds an answer")
    assert float(told["flash"].split()[0]) < 12
    assert float(told["memory"].split()[0]) < 6
    assert told["agrees"].startswith("with stream.onnx: logits differ by ")
