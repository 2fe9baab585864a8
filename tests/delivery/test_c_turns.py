"""Programs in C whose first layers hear a hop in turns: every way gives the same numbers, and needs less room."""

import numpy as np
import pytest

from c_made import needs_compiler
from sayso.delivery.c import export_c, program
from sayso.delivery.c.arena import make_smallest
from sayso.delivery.c.front_end import FrontEnd
from sayso.delivery.c.graph import Graph
from sayso.delivery.c.layers import Apply, Collect, Convolution, Frames, Pairs, Reduction, Ring
from sayso.delivery.c.lowering import Step
from sayso.delivery.c.turns import ways_in_turns
from streams_made import export_model

STAGED = {"features": {"kind": "speech_embedding", "outputs": "stage_3", "trainable": "all"}}
PARTS = {
    # Three stages of the pretrained network, whose poolings leave two of eight frames.
    "staged": STAGED | {"model": {"kind": "bottleneck_cnn"}},
    # Rows of means over bins beside all bins, each with frames of its own.
    "causal": {"features": {"kind": "mel", "centre": False}, "model": {"kind": "bc_resnet", "causal": True}},
}
TURNS = {"staged": [{1}, {1, 2}, {1, 4}, {1, 2}, {1, 2, 4}], "causal": [{1}, {1, 2}, {1, 4}, {1, 8}]}
MOST_BYTES = {"staged": 64_000, "causal": 32_000}


@pytest.fixture(scope="module", params=PARTS)
def model(request, tmp_path_factory):
    parts = PARTS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    return export_model(folder, seconds=1.5, **parts), request.param


@needs_compiler
@pytest.mark.parametrize("weights", ["float", "int8"])
def test_what_hears_in_turns_answers_alike_within_what_a_board_has(model, tmp_path, weights):
    path, name = model
    done = export_c(path, tmp_path / "c", weights=weights)
    assert done.graph == "stream.onnx"
    assert done.program.front_end is not None
    assert done.measured.max_abs_difference < (1e-4 if weights == "float" else 0.05)
    assert done.measured.flash_bytes <= 500_000
    assert done.measured.static_bytes + done.measured.stack_bytes <= MOST_BYTES[name]
    assert "for (int turn_of_2 = 0; turn_of_2 < 2; turn_of_2++) {" in (done.folder / "sayso_model.c").read_text()


@needs_compiler
def test_every_way_to_run_in_turns_gives_the_same_numbers_for_the_same_work(model, tmp_path, monkeypatch):
    path, name = model
    ways, done = [], []

    def next_way(given, graph, *, logits):
        ways[:] = given
        return make_smallest([ways[len(done)]], graph, logits=logits)

    monkeypatch.setattr(program, "make_smallest", next_way)
    while not done or len(done) < len(ways):
        done.append(export_c(path, tmp_path / str(len(done))))
    assert [{step.turns for step in way} for way in ways] == TURNS[name]
    for each in done[1:]:
        assert each.measured.max_abs_difference < 1e-4
        assert each.program.multiply_adds == done[0].program.multiply_adds
        assert each.static_bytes < done[0].static_bytes


HOP_FRAMES, BANDS = 4, 3
ENERGIES = Step(
    Frames(FrontEnd(HOP_FRAMES, 16, 32, 0, np.ones(32, np.float32), 96, 0, np.ones((17, BANDS), np.float32))),
    ("scratch",),
    "energies",
)


def ways_of(*steps, **constants):
    known = {name: np.zeros(shape, np.float32) for name, shape in constants.items()}
    return list(ways_in_turns([ENERGIES, *steps], Graph((), {}, known, ("sound",), ("logits",))))


def test_an_operand_of_another_rank_has_one_turns_frames_too():
    shape = (1, 1, HOP_FRAMES, BANDS)
    doubled = Step(Pairs("SAYSO_ADD", shape, shape, shape[1:]), ("energies", "energies"), "doubled")
    head = Step(Reduction(1, HOP_FRAMES * BANDS, 1, is_maximum=False, factor=1.0), ("doubled",), "logits")
    of_two, of_four = ways_of(doubled, head)
    assert (of_two[1].layer.left, of_two[1].layer.right) == ((1, 1, 2, BANDS), (1, 2, BANDS))
    assert (of_four[1].layer.left, of_four[1].layer.right) == ((1, 1, 1, BANDS), (1, 1, BANDS))


@pytest.mark.parametrize("shape", [(HOP_FRAMES, BANDS), (HOP_FRAMES, 1)])
def test_an_operand_that_differs_from_frame_to_frame_is_of_the_whole_hop(shape):
    whole = (HOP_FRAMES, BANDS)
    weighed = Step(Pairs("SAYSO_MULTIPLY", whole, whole, shape), ("energies", "weights"), "weighed")
    for way in ways_of(weighed, Step(Apply("SAYSO_ABS", HOP_FRAMES * BANDS), ("weighed",), "logits"), weights=shape):
        assert [step.turns for step in way if step.output in ("weighed", "logits")] == [1, 1]


def test_a_ring_at_the_end_stays_out_and_what_it_is_fed_is_laid_together():
    ring = Step(Ring(1, 6 * BANDS, HOP_FRAMES * BANDS), ("energies",), "ring")
    (way, _) = ways_of(ring, Step(Reduction(1, 6 * BANDS, 1, is_maximum=True, factor=1.0), ("ring",), "logits"))
    frames, collected, carried, _ = way
    assert (frames.turns, frames.layer.front_end.frames) == (2, 2)
    assert isinstance(collected.layer, Collect)
    assert (collected.output, collected.layer.size) == ("energies", HOP_FRAMES * BANDS)
    assert carried == ring


def test_a_convolution_over_columns_lays_all_its_rows():
    turned = Step(Ring(1, (HOP_FRAMES + 2) * BANDS, HOP_FRAMES * BANDS), ("energies",), "heard")
    kernel = np.ones((2, 1, 3, 2), np.float32)
    heard, made = (1, HOP_FRAMES + 2, BANDS), (2, HOP_FRAMES, BANDS - 1)
    layer = Convolution(kernel, None, heard, made, stride=(1, 1), dilation=(1, 1), before=(0, 0), groups=1)
    head = Step(Reduction(1, 2 * HOP_FRAMES * (BANDS - 1), 1, is_maximum=False, factor=1.0), ("made",), "logits")
    (_, way) = ways_of(turned, Step(layer, ("heard",), "made"), head)
    (convolution, collected) = way[2:4]
    assert (convolution.layer.inside, convolution.layer.outside) == ((1, 3, BANDS), (2, 1, BANDS - 1))
    assert collected.layer.size == 2 * HOP_FRAMES * (BANDS - 1)


def test_logits_are_of_the_whole_hop():
    assert ways_of(Step(Apply("SAYSO_ABS", HOP_FRAMES * BANDS), ("energies",), "logits")) == []
