"""What programs in C are made of, without a compiler: places in memory, weights as int8, sound that nobody made."""

import numpy as np
import pytest

from sayso.delivery.c.arena import make_plan
from sayso.delivery.c.babble import make_babble
from sayso.delivery.c.check_vector import make_sound
from sayso.delivery.c.layers import Apply, Reduction, Ring
from sayso.delivery.c.lowering import Step
from sayso.delivery.c.narrow import round_rows

OTHER = Reduction(1, 1, 1, is_maximum=False, factor=1.0)


def made_program(rng):
    """Steps that read what earlier ones made, and the sizes of all tensors."""
    steps, sizes = [Step(OTHER, (), "t0")], {"t0": int(rng.integers(1, 50))}
    for place in range(1, rng.integers(2, 12)):
        inputs = tuple(rng.permutation([each for each in sizes if "kept" not in each])[: rng.integers(1, 4)].tolist())
        layer = (OTHER, OTHER, Apply("SAYSO_ABS", 1), Ring(1, 9, 2), Ring(1, 9, 2, is_apart=True))[rng.integers(5)]
        own = sizes[inputs[0]] if isinstance(layer, Apply) else int(rng.integers(1, 50))
        if isinstance(layer, Ring):
            own, inputs = 9, (inputs[0], *([f"t{place}/kept"] if layer.is_apart else []))
            sizes[f"t{place}/kept"] = 7
        steps.append(Step(layer, inputs, f"t{place}"))
        sizes[f"t{place}"] = own
    return steps, sizes


@pytest.mark.parametrize("seed", range(60))
def test_nothing_that_is_still_needed_is_written_over(seed):
    steps, sizes = made_program(np.random.default_rng(seed))
    logits = steps[-1].output
    plan = make_plan(steps, sizes, logits=logits)
    memory = {"arena": [None] * plan.arena_size, "rings": [None] * plan.rings_size}

    def part(tensor):
        kind = "rings" if tensor in plan.rings else "arena"
        first = (plan.rings if kind == "rings" else plan.arena)[tensor]
        assert first + sizes[tensor] <= len(memory[kind])
        return kind, slice(first, first + sizes[tensor])

    for step in steps:
        for each in step.inputs:
            kind, where = part(each)
            if each.endswith("/kept"):
                assert not {*memory[kind][where]} - {None}  # a place of its own
                memory[kind][where] = [each] * 7
            assert set(memory[kind][where]) == {each}
        kind, where = part(step.output)
        memory[kind][where] = [step.output] * sizes[step.output]
    kind, where = part(logits)
    assert set(memory[kind][where]) == {logits}


def test_what_is_needed_at_different_times_lies_in_one_place():
    steps = [Step(OTHER, (), "a"), *(Step(OTHER, (before,), after) for before, after in zip("abc", "bcd", strict=True))]
    plan = make_plan(steps, dict.fromkeys("abcd", 100), logits="d")
    assert plan.arena_size == 200


@pytest.mark.parametrize("inputs", [12, 40])
def test_rounding_in_turn_changes_what_a_layer_gives_less_than_rounding_each_weight(inputs):
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((8, inputs))
    # Inputs that go together, as frames do that follow one another, and are mostly above 0.
    heard = np.maximum(0, rng.standard_normal((2000, 2)) @ rng.standard_normal((2, inputs)) + 1)
    heard += 0.05 * rng.standard_normal(heard.shape)
    narrow = round_rows(rows, heard)
    assert np.abs(narrow.numbers).max() <= 127
    alone = np.round(rows / narrow.scales[:, None]) * narrow.scales[:, None]
    exact = heard @ rows.T
    errors = [np.std(heard @ each.T + shift - exact) for each, shift in ((narrow.weights, narrow.shift), (alone, 0))]
    assert errors[0] < 0.6 * errors[1]


def test_weights_of_nothing_and_inputs_of_nothing_are_rounded_too():
    narrow = round_rows(np.zeros((2, 4)), np.zeros((10, 4)))
    assert not narrow.numbers.any()
    assert np.isfinite(narrow.scales).all()
    assert not narrow.shift.any()


def test_made_sound_is_the_same_at_every_call_and_within_its_range():
    for sound in (make_sound(20_000), make_babble(5, 8000)):
        assert sound.dtype == np.int16
        assert 2000 < np.abs(sound.astype(int)).max() <= 32767
    assert (make_sound(3000) == make_sound(9000)[:3000]).all()
    assert (make_babble(2, 16_000) == make_babble(2, 16_000)).all()
