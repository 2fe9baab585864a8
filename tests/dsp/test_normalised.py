"""Layers that normalise in the same step against those they stand for, in values and in gradients."""

import platform
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

import sayso.dsp.normalised
from sayso.dsp.normalised import OverTime, Stencil, depthwise, mapped_relu, stencil_relu, unfolded
from sayso.dsp.normalised.compiled import is_compiled
from sayso.dsp.normalised.dense_map import depthwise_over_time, normalised_relu, scale_and_shift
from sayso.models.bc_resnet import BCResNetConfig
from sayso.system.compiled import compiled, find_compiler

needs_compiler = pytest.mark.skipif(
    not is_compiled(torch.zeros(1, dtype=torch.float64)), reason="there is no C compiler here"
)
FOLDER = Path(sayso.dsp.normalised.__file__).parent
LONG = 2500  # columns: some blocks and chunks, and a part of one


@pytest.fixture(params=[pytest.param("compiled", marks=needs_compiler), "by products"])
def way(request, monkeypatch):
    """Both ways that each layer is computed."""
    if request.param != "compiled":
        for name in ("across", "square", "stencil"):
            monkeypatch.setattr(f"sayso.dsp.normalised.{name}.is_compiled", lambda *_, **__: False)
    return request.param


def drawn(*shape):
    return torch.randn(*shape, dtype=torch.float64).requires_grad_()


@pytest.mark.parametrize("frames", [4, 9])
@pytest.mark.parametrize("dilation", [1, 3])
def test_shifted_sums_are_a_dilated_depthwise_convolution(frames, dilation):
    torch.manual_seed(0)
    x, weight = drawn(5, 2, frames), drawn(5, 3)
    found = depthwise_over_time(x, weight, (-dilation, 0, dilation))
    clips = x.transpose(0, 1)
    expected = nn.functional.conv1d(clips, weight[:, None], padding=dilation, dilation=dilation, groups=5)
    torch.testing.assert_close(found, expected.transpose(0, 1))
    assert torch.autograd.gradcheck(lambda *given: depthwise_over_time(*given, (-dilation, 0, dilation)), (x, weight))
    of_before = depthwise_over_time(x, weight, (-2 * dilation, -dilation, 0))
    lagged = nn.functional.pad(clips, (2 * dilation, 0))
    expected = nn.functional.conv1d(lagged, weight[:, None], dilation=dilation, groups=5)
    torch.testing.assert_close(of_before, expected.transpose(0, 1))


@pytest.mark.parametrize("momentum", [0.1, None])
def test_scale_and_shift_are_what_batch_norm_does_and_remembers(momentum):
    torch.manual_seed(0)
    norm, other = [nn.BatchNorm2d(3, momentum=momentum).double() for _ in range(2)]
    for _ in range(3):
        x = drawn(4, 3, 5, 2) * 2 + 3
        rows = x.transpose(0, 1).flatten(1)
        scale, shift = scale_and_shift(norm, rows.mean(1), rows.var(1, unbiased=False), count=rows.shape[1])
        torch.testing.assert_close(rows * scale[:, None] + shift[:, None], other(x).transpose(0, 1).flatten(1))
    torch.testing.assert_close(norm.state_dict(), other.state_dict())


@pytest.mark.parametrize(("beside", "skip"), [(False, False), (True, False), (True, True)])
def test_gradients_of_a_map_of_its_own_moments(beside, skip):
    """Of x, of what makes the map, and of what is added; against autograd on the same, and against differences."""
    torch.manual_seed(0)
    x, weight, factor = drawn(2, 3, 7), drawn(2, 3, 3), drawn(1)

    def of_moments(mean, products):
        return weight * products, (weight @ mean[..., None]).sin()

    def added(row):
        return (row * factor).tanh()

    def step(*_):
        return normalised_relu(x, of_moments, [weight, factor], over_columns=added if beside else None, skip=skip)

    def plain():
        matrix, shift = of_moments(x.mean(2), x @ x.mT / 7)
        y = matrix @ x + shift
        return torch.relu(y + (added(y.mean(1))[:, None] if beside else 0) + (x if skip else 0))

    learned = [x, weight, factor] if beside else [x, weight]
    torch.testing.assert_close(step(), plain())
    toward = torch.randn(2, 3, 7, dtype=torch.float64)
    found, expected = [torch.autograd.grad(made, learned, toward) for made in (step(), plain())]
    torch.testing.assert_close(found, expected)
    assert torch.autograd.gradcheck(step, learned)


def normed(channels):
    norm = nn.BatchNorm2d(channels).double()
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    return norm


def agree(found, expected, learned, norms):
    """Values, gradients of all that is learned, and what both norms remember."""
    torch.testing.assert_close(found, expected)
    toward = torch.randn_like(found)
    torch.testing.assert_close(*[torch.autograd.grad(made, learned, toward) for made in (found, expected)])
    torch.testing.assert_close(norms[0].state_dict(), norms[1].state_dict())


def twice(norm):
    other = nn.BatchNorm2d(norm.num_features).double()
    other.load_state_dict(norm.state_dict())
    other.weight, other.bias = norm.weight, norm.bias
    return norm, other


@pytest.mark.parametrize("columns", [7, LONG])
@pytest.mark.parametrize(("inputs", "outputs", "outermost"), [(7, 5, "groups"), (4, 8, "inputs"), (1, 3, "inputs")])
def test_a_map_across_rows_is_a_convolution_its_norm_and_relu(way, inputs, outputs, outermost, columns):
    torch.manual_seed(0)
    x, weight = drawn(3, inputs, columns), drawn(outputs, inputs)
    if outermost == "inputs":
        x = x.detach().transpose(0, 1).contiguous().transpose(0, 1).requires_grad_()
    norms = twice(normed(outputs))
    found = mapped_relu(x, weight, norms[0])
    plain = torch.relu(norms[1](nn.functional.conv1d(x, weight[..., None])[..., None])[..., 0])
    agree(found, plain.transpose(0, 1), [x, weight, norms[0].weight, norms[0].bias], norms)
    assert not mapped_relu(x.detach(), weight, norms[0]).isnan().any()
    torch.testing.assert_close(  # where nothing is to be learned before it
        torch.autograd.grad(mapped_relu(x.detach(), weight, norms[0]).square().sum(), weight),
        torch.autograd.grad(mapped_relu(x, weight, norms[0]).square().sum(), weight),
    )


def over_time_of(channels, clips, taps=(-2, 0, 2)):
    """Layers over time with weights, gains and dropout drawn."""
    kept = nn.functional.dropout(torch.ones(channels, clips, dtype=torch.float64), 0.4)
    weight, mixing = drawn(channels, 1, 1, 3), drawn(channels, channels, 1, 1)
    return OverTime(weight=weight, norm=normed(channels), mixing=mixing, taps=taps, kept=kept)


def in_floats(channels, clips):
    """The same in float32, with nothing dropped."""
    weight, mixing = torch.randn(channels, 3, requires_grad=True), torch.randn(channels, channels, requires_grad=True)
    kept = torch.ones(channels, clips)
    return OverTime(weight=weight, norm=nn.BatchNorm2d(channels), mixing=mixing, taps=(-1, 0, 1), kept=kept)


@pytest.mark.parametrize(("clips", "frames"), [(1, 11), (40, 9), (90, 53)])
@pytest.mark.parametrize(
    ("bins", "stride", "skip", "taps"),
    [(6, 1, True, (-2, 0, 2)), (6, 1, False, (-4, -2, 0)), (9, 2, False, (-9, 0, 9)), (10, 2, False, (-60, 0, 1))],
)
def test_a_stencil_is_a_convolution_its_norm_in_bands_and_relu_of_all(way, bins, stride, skip, taps, clips, frames):
    torch.manual_seed(0)
    x, weight = drawn(2, bins, clips * frames), drawn(2, 1, 3, 1)
    rows = (bins - 1) // stride + 1
    bands = next(count for count in (3, 5) if rows % count == 0)
    norms, layers = twice(normed(2 * bands)), over_time_of(2, clips, taps)
    time_norms = twice(layers.norm)
    stencil = Stencil(weight=weight, norm=norms[0], stride=stride, skip=skip)
    found = stencil_relu(x, stencil, layers)
    made = nn.functional.conv2d(x[None], weight, stride=(stride, 1), padding=(1, 0), groups=2)
    made = norms[1](made.unflatten(2, (bands, -1)).flatten(1, 2)).view(2, rows, -1)
    heard = depthwise_over_time(made.mean(1).view(2, clips, frames), layers.weight.flatten(1), taps)
    heard = nn.functional.silu(time_norms[1](heard.view(1, 2, 1, -1))).view(2, -1)
    added = (layers.mixing.flatten(1) @ heard).view(2, clips, frames) * layers.kept[..., None]
    plain = torch.relu(made + added.flatten(1)[:, None] + (x if skip else 0))
    learned = [x, *stencil.learned, *layers.learned]
    agree(found, plain, learned, norms)
    torch.testing.assert_close(time_norms[0].state_dict(), time_norms[1].state_dict())


@pytest.mark.parametrize("channels", [1, 5, 9])
def test_channels_are_mixed_however_many_they_are(way, channels):
    torch.manual_seed(0)
    x, stencil = drawn(channels, 4, 70 * 7), Stencil(weight=drawn(channels, 3), norm=normed(channels))
    layers = over_time_of(channels, 70)
    found = stencil_relu(x, stencil, layers)
    made = nn.functional.conv2d(x[None], stencil.weight[:, None, :, None], padding=(1, 0), groups=channels)
    made = nn.functional.batch_norm(made, None, None, stencil.norm.weight, stencil.norm.bias, training=True)[0]
    heard = depthwise_over_time(made.mean(1).view(channels, 70, 7), layers.weight.flatten(1), layers.taps).flatten(1)
    heard = nn.functional.batch_norm(heard[None], None, None, layers.norm.weight, layers.norm.bias, training=True)[0]
    mixed = layers.mixing.flatten(1) @ nn.functional.silu(heard)
    expected = torch.relu(made + (mixed.view(channels, 70, 7) * layers.kept[..., None]).flatten(1)[:, None])
    torch.testing.assert_close(found, expected)
    toward, learned = torch.randn_like(found), [x, *stencil.learned, *layers.learned]
    torch.testing.assert_close(*[torch.autograd.grad(each, learned, toward) for each in (found, expected)])


@needs_compiler
def test_the_sigmoid_of_floats_is_exact_enough():
    x, norm = torch.linspace(-1, 1, 4097).view(1, -1), nn.BatchNorm2d(1)
    nn.init.constant_(norm.weight, 70.0)  # to 121 either way
    weight = torch.tensor([[0.0, 1.0, 0.0]])
    layers = OverTime(weight=weight, norm=norm, mixing=torch.eye(1), taps=(-1, 0, 1), kept=torch.ones(1, 1))
    made, *_ = layers.compiled(x, [each.detach() for each in layers.learned])
    exact = nn.functional.batch_norm(x[None].double(), None, None, norm.weight.double(), training=True, eps=norm.eps)
    torch.testing.assert_close(made[None].double(), nn.functional.silu(exact), rtol=1e-6, atol=4e-6)


@pytest.mark.parametrize("lag", [2, 4])
@pytest.mark.parametrize(("bins", "clips", "frames"), [(5, 3, 7), (8, 50, 101), (6, 1, 2)])
def test_a_depthwise_convolution_over_bins_and_frames(way, bins, clips, frames, lag):
    torch.manual_seed(0)
    x, weight = drawn(3, bins, clips * frames), drawn(3, 1, 5, 5)
    around = nn.functional.pad(x.view(3, bins, clips, frames).permute(2, 0, 1, 3), (lag, 4 - lag))
    plain = nn.functional.conv2d(around, weight, groups=3).permute(1, 2, 0, 3).flatten(2)
    found = depthwise(x, weight, clips=clips, lag=lag)
    torch.testing.assert_close(found, plain)
    toward = torch.randn_like(found)
    torch.testing.assert_close(*[torch.autograd.grad(made, [x, weight], toward) for made in (found, plain)])


def test_kernels_of_other_sizes_are_convolved_as_well():
    torch.manual_seed(0)
    x, weight = drawn(2, 4, 3 * 9), drawn(2, 1, 3, 1)
    plain = nn.functional.conv2d(x.view(2, 4, 3, 9).permute(2, 0, 1, 3), weight, groups=2)
    torch.testing.assert_close(depthwise(x, weight, clips=3, lag=0), plain.permute(1, 2, 0, 3).flatten(2))


@pytest.mark.parametrize("lag", [2, 4])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_convolution_is_a_map_of_what_its_kernel_hears(way, stride, lag):
    torch.manual_seed(0)
    x, weight = torch.randn(3, 2, 8, 6, dtype=torch.float64), torch.randn(4, 2, 5, 5, dtype=torch.float64)
    under = unfolded(x, 5, stride=stride, lag=lag)
    found = weight.transpose(1, 2).flatten(1) @ under  # (rows, outputs, clips * frames)
    plain = nn.functional.conv2d(nn.functional.pad(x, (lag, 4 - lag, 2, 2)), weight, stride=(stride, 1))
    torch.testing.assert_close(found, plain.permute(2, 1, 0, 3).flatten(2))


@needs_compiler
def test_sums_do_not_hang_on_the_number_of_threads_and_no_number_stays_none():
    torch.manual_seed(0)
    x, norm, before = torch.randn(5, 8, LONG), nn.BatchNorm2d(6), torch.get_num_threads()
    stencil, layers = Stencil(weight=torch.randn(5, 3), norm=nn.BatchNorm2d(10)), in_floats(5, LONG // 50)
    weight, kernel, made = torch.randn(6, 5, requires_grad=True), torch.randn(5, 1, 5, 5, requires_grad=True), []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        of_stencil = stencil_relu(x, stencil, layers)
        of_all = depthwise(of_stencil, kernel, clips=LONG // 50, lag=2)
        mapped = mapped_relu(of_all.transpose(0, 1), weight, norm)
        learned = [weight, kernel, *layers.learned]
        made.append([mapped, *torch.autograd.grad(mapped.square().sum(), learned)])
    torch.set_num_threads(before)
    for one, two in zip(*made, strict=True):
        assert torch.equal(one, two)
    x[0, 0, 0] = float("nan")
    assert stencil_relu(x, stencil, layers).isnan().any()
    assert mapped_relu(x.transpose(0, 1), weight, norm).isnan().all()


@needs_compiler
def test_the_source_is_standard_and_without_warnings():
    compiler = find_compiler()
    for source in sorted(FOLDER.glob("*.c")):
        flags = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-fopenmp", "-fsyntax-only"]
        subprocess.run([*compiler, *flags, str(source)], check=True)


def test_what_cannot_be_is_refused():
    x, stencil = torch.randn(2, 5, 9), Stencil(weight=torch.randn(2, 3), norm=nn.BatchNorm2d(10))
    with pytest.raises(ValueError, match="4 rows do not divide into bands"):
        stencil_relu(x[:, :4], stencil, in_floats(2, 3))
    with pytest.raises(ValueError, match="layers over time of 3 channels, 3 clips do not fit"):
        stencil_relu(x, stencil, in_floats(3, 3))
    with pytest.raises(ValueError, match="layers over time of 2 channels, 4 clips do not fit"):
        stencil_relu(x, stencil, in_floats(2, 4))
    with pytest.raises(ValueError, match="at a stride of 1 only, here it is 2"):
        stencil_relu(x, replace(stencil, stride=2, skip=True, norm=nn.BatchNorm2d(2)), in_floats(2, 3))
    with pytest.raises(ValueError, match=r"\(6, 6, 9\) weights do not fit 2 channels"):
        stencil_relu(x, stencil, replace(in_floats(2, 3), mixing=torch.randn(3, 3)))
    with pytest.raises(ValueError, match="a norm of 2 channels do not fit 5 rows"):
        mapped_relu(x, torch.randn(4, 5), nn.BatchNorm2d(2))
    kernel = torch.randn(2, 1, 5, 5)
    with pytest.raises(ValueError, match="5 frames, 6 of them before, does not fit 3 clips"):
        depthwise(x, kernel, clips=3, lag=6)
    with pytest.raises(ValueError, match="does not fit 2 clips"):
        depthwise(x, kernel, clips=2, lag=2)
    with pytest.raises(ValueError, match="has 4 bins, it must be an odd number"):
        unfolded(x[None], 4, stride=1, lag=1)


@needs_compiler
def test_what_is_elsewhere_or_not_in_a_row_is_left_to_torch():
    x, norm = torch.zeros(2), nn.BatchNorm2d(4)
    assert is_compiled(x, norms=[norm])
    assert not is_compiled(x, torch.zeros(2, device="meta"))
    norm.running_mean = torch.zeros(8)[::2]
    assert not is_compiled(x, norms=[norm])
    norm.running_mean = torch.zeros(3)
    assert not is_compiled(x, norms=[norm])


@needs_compiler
@pytest.mark.skipif(platform.machine() != "x86_64", reason="these are flags for x86")
@pytest.mark.parametrize("flag", ["-mno-avx512f", "-mno-avx"])
def test_narrower_vectors_compute_the_same(monkeypatch, flag):
    monkeypatch.setenv("CC", " ".join([*(find_compiler() or ()), flag]))
    narrow = compiled(FOLDER, "IN_DOUBLE", "NARROW" + flag.replace("-", "_"))
    monkeypatch.setattr("sayso.dsp.normalised.compiled._library", lambda _: narrow)
    torch.manual_seed(0)
    network, x = BCResNetConfig(dropout=0.0).build((1, 40, 37), 3).double(), drawn(3, 1, 40, 37).detach()
    learned = list(network.parameters())
    ways = [network.in_one_step(x), network.by_convolutions(x)]
    torch.testing.assert_close(*ways)
    torch.testing.assert_close(*[torch.autograd.grad(way.square().sum(), learned) for way in ways])


@needs_compiler
def test_numbers_of_two_kinds_are_left_to_torch():
    torch.manual_seed(0)
    x, stencil = torch.randn(2, 4, 9), Stencil(weight=torch.randn(2, 3), norm=nn.BatchNorm2d(4))
    assert is_compiled(x, stencil.weight)
    assert not is_compiled(x.double(), stencil.weight)
    weight, mapped_norm = torch.randn(3, 2), nn.BatchNorm2d(3)
    found, expected = [mapped_relu(each.transpose(0, 1), weight, mapped_norm) for each in (x.double(), x)]
    torch.testing.assert_close(found.float(), expected)
    of_others = nn.BatchNorm2d(3)
    of_others.running_mean = torch.zeros(3, dtype=torch.float64)
    assert not is_compiled(x, norms=[of_others])
