"""What single networks must do: parameters as their sources count them, and what only they can get wrong."""

import pytest
import torch
from torch import nn

from sayso.errors import SettingsError
from sayso.models.bc_resnet import BCResNetConfig
from sayso.models.digit_cnn import DigitCnnConfig
from sayso.models.ds_cnn import DsCnnConfig
from sayso.models.feed_forward import FeedForwardConfig
from sayso.models.gru import GruConfig
from sayso.models.logistic import LogisticConfig
from sayso.models.luz_convnet import LuzConvnetConfig
from sayso.models.matchbox_net import MatchboxNetConfig
from sayso.models.mlp import MlpConfig
from sayso.models.pooled_mlp import PooledMlpConfig
from sayso.models.spectrogram_cnn import SpectrogramCnnConfig
from sayso.models.tc_resnet import TCResNetConfig
from sayso.models.temporal_mlp import TemporalMlpConfig
from sayso.recipe.recipe import recipe_from_values


def parameters(config, shape, classes):
    return sum(parameter.numel() for parameter in config.build(shape, classes).parameters())


def luz_count(inputs, classes):
    """A convolution has 9 weights for each pair of channels and a bias; a batch norm two numbers a channel."""
    sizes = (inputs, 32, 64, 128, 256, 512)
    stages = sum(9 * sizes[i] * sizes[i + 1] + 3 * sizes[i + 1] for i in range(5))
    return stages + (512 * 512 + 512) + 2 * 512 + (512 * classes + classes)


@pytest.mark.parametrize(
    ("config", "shape", "classes", "count"),
    [
        (LuzConvnetConfig(), (1, 257, 101), 30, luz_count(1, 30)),
        (LuzConvnetConfig(), (2, 257, 101), 30, luz_count(2, 30)),
        (LuzConvnetConfig(), (1, 128, 101), 30, 1_849_054),
        (DigitCnnConfig(), (1, 64, 64), 10, 84_682),
        (DigitCnnConfig(dropout=0.5), (1, 64, 64), 10, 84_682),
        (SpectrogramCnnConfig(), (1, 1025, 40), 10, 4_701_610),
        (MlpConfig(), (1, 1, 30_000), 10, 3_841_418),
        (LogisticConfig(), (1, 337, 1), 10, 3_380),
        (FeedForwardConfig(hidden=(5, 4)), (1, 3, 1), 2, 3 * 5 + 2 * 5 + 5 * 4 + 2 * 4 + 4 * 2 + 2),
        # Three gates, each with weights from below and from before and two biases.
        (GruConfig(layers=1, bidirectional=False), (1, 40, 9), 10, 3 * 128 * (40 + 128 + 2) + 1290),
        (
            TemporalMlpConfig(channels=4, hidden=5),
            (1, 6, 9),
            3,
            6 * 4 * 3 + 4 + 4 * 4 * 3 + 4 + 4 * 5 * 5 + 5 + 5 * 3 + 3,
        ),
        (
            TemporalMlpConfig(channels=4, last_channels=2, hidden=5),
            (1, 6, 9),
            3,
            6 * 4 * 3 + 4 + 4 * 2 * 3 + 2 + 2 * 5 * 5 + 5 + 5 * 3 + 3,
        ),
        (TCResNetConfig(width=1.0), (1, 40, 101), 8, 64_952),
        (TCResNetConfig(width=2.0), (1, 40, 101), 8, 253_928),
        (BCResNetConfig(), (1, 40, 101), 12, 9_232),
        # The source's 24,908 without nine biases of 64 and the running mean and variance of nine norms.
        (DsCnnConfig(), (1, 10, 49), 12, 24_908 - 9 * 64 - 9 * 2 * 64),
        (MatchboxNetConfig(), (1, 64, 128), 30, 77_214),
        (MatchboxNetConfig(repeats=2), (1, 64, 128), 30, 92_766),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_parameters_are_as_many_as_the_source_counts(config, shape, classes, count):
    assert parameters(config, shape, classes) == count


@pytest.mark.parametrize(("scale", "thousands"), [(1, 9.2), (2, 27.3), (8, 321)])
def test_bc_resnet_has_the_size_of_its_source_at_every_scale(scale, thousands):
    assert parameters(BCResNetConfig(scale=scale), (1, 40, 101), 12) / 1000 == pytest.approx(thousands, abs=0.1)


def trained_both_ways(network, batch):
    """Logits, gradients and what batch norms remember, by the source's convolutions and in one step."""
    kept = {name: value.clone() for name, value in network.state_dict().items()}
    for way in (network.by_convolutions, network.in_one_step):
        network.load_state_dict(kept)
        network.zero_grad()
        torch.manual_seed(1)
        logits = way(batch)
        nn.functional.cross_entropy(logits, torch.arange(len(batch)) % 4).backward()
        gradients = [parameter.grad.clone() for parameter in network.parameters()]
        yield logits, gradients, [value.clone() for value in network.buffers()]


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(
    ("scale", "shape", "causal"), [(1, (1, 40, 12), False), (1.5, (2, 80, 9), False), (1, (1, 40, 120), True)]
)
def test_bc_resnet_in_one_step_computes_what_convolutions_compute(scale, shape, causal, layout):
    torch.manual_seed(0)
    network = BCResNetConfig(scale=scale, causal=causal).build(shape, 4).double().to(memory_format=layout)
    batch = torch.randn(5, *shape, dtype=torch.float64).contiguous(memory_format=layout)
    torch.testing.assert_close(*trained_both_ways(network, batch), rtol=1e-9, atol=1e-9)
    learned = batch.clone().requires_grad_()
    of_features = []
    for way in (network.in_one_step, network.by_convolutions):
        torch.manual_seed(2)
        of_features += torch.autograd.grad(way(learned).square().sum(), learned)
    torch.testing.assert_close(*of_features, rtol=1e-9, atol=1e-9)


def test_bc_resnet_in_one_step_is_as_exact_in_float32():
    """With every ReLU open: where rounding takes a number to the other side of zero, gradients of any form jump."""
    torch.manual_seed(0)
    network = BCResNetConfig().build((1, 40, 30), 4)
    for name, parameter in network.named_parameters():
        if name.endswith(("change_norm.bias", "bands_norm.norm.bias", "first_norm.bias", "last_norm.bias")):
            nn.init.constant_(parameter, 6.0)
    torch.testing.assert_close(*trained_both_ways(network, torch.randn(16, 1, 40, 30)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("frozen", ["first", "change", "bands_norm", "over_time", "time_norm", "across"])
def test_bc_resnet_learns_with_parts_of_it_frozen(frozen):
    network = BCResNetConfig().build((1, 40, 20), 3)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(frozen not in name)
    network(torch.randn(4, 1, 40, 20)).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert (parameter.grad is None) == (frozen in name)


def test_a_causal_bc_resnet_gives_each_frame_on_a_stream_what_a_window_gives():
    torch.manual_seed(0)
    network = BCResNetConfig(causal=True).build((1, 40, 121), 3).eval()
    for norm in (each for each in network.modules() if isinstance(each, nn.BatchNorm2d)):
        nn.init.normal_(norm.running_mean, std=0.1)
    layers = network.carried()
    assert layers.behind == 116
    sound = torch.randn(1, 40, 160)
    state, made = [torch.zeros(shape) for shape in layers.state], []
    for chunk in sound.split(8, dim=2):
        new, *state = layers(chunk, *state)
        made.append(new)
    outputs = torch.cat(made, dim=2)
    for end in (121, 135, 160):
        window = sound[None, ..., end - 121 : end]
        torch.testing.assert_close(network.head(outputs[..., end - 5 : end]), network(window), rtol=1e-4, atol=1e-5)
    assert BCResNetConfig().build((1, 40, 121), 3).carried() is None
    (fault,) = BCResNetConfig(causal=True).misfits((1, 40, 101))
    assert "117 frames" in fault.message


def test_bc_resnet_trains_in_one_step_where_that_is_faster(monkeypatch):
    network, asked = BCResNetConfig().build((1, 40, 20), 3), []
    monkeypatch.setattr(network, "in_one_step", lambda features: asked.append(features) or torch.zeros(2, 3))
    network(torch.zeros(2, 1, 40, 20))
    assert len(asked) == 1
    network(torch.zeros(2, 1, 40, 8))  # shorter than a kernel's reach
    with torch.autocast("cpu", torch.bfloat16):
        network(torch.zeros(2, 1, 40, 20))
    network.eval()(torch.zeros(2, 1, 40, 20))
    assert len(asked) == 1


@pytest.mark.parametrize("kept", ["first_norm", "bands_norm.norm", "time_norm", "change_norm", "last_norm"])
def test_bc_resnet_learns_beside_norms_that_are_kept_as_they_are(kept):
    torch.manual_seed(0)
    network = BCResNetConfig(dropout=0).build((1, 40, 20), 3)
    norms = [module for name, module in network.named_modules() if name.endswith(kept)]
    for norm in norms:
        nn.init.normal_(norm.running_mean)
        norm.eval()
    remembered = [norm.running_mean.clone() for norm in norms]
    features = torch.randn(4, 1, 40, 20)
    torch.testing.assert_close(network(features), network.by_convolutions(features), rtol=1e-4, atol=1e-5)
    for norm, before in zip(norms, remembered, strict=True):
        torch.testing.assert_close(norm.running_mean, before, rtol=0, atol=0)


def in_source_order(network):
    """The same layers, with their own weights, one after the other as the tutorial has them."""
    stages = [
        layer
        for stage in network.stages
        for layer in (stage.convolution, stage.norm, nn.ReLU(), nn.MaxPool2d(2), nn.Dropout2d(stage.dropout.p))
    ]
    convolution, norm, _ = network.last_stage
    last = [convolution, norm, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Dropout2d(network.dropout.p), nn.Flatten()]
    linear, batch_norm, _, dropout, scores = network.head
    return nn.Sequential(*stages, *last, linear, batch_norm, nn.ReLU(), nn.Dropout(dropout.p), scores)


@pytest.mark.parametrize("shape", [(1, 79, 82), (2, 80, 78)])
def test_luz_convnet_computes_what_the_source_order_computes(shape):
    """In values, gradients and what batch norm remembers, with the same channels dropped."""
    torch.manual_seed(0)
    network = LuzConvnetConfig(channels=(6, 7, 8, 9, 10)).build(shape, 4).double()
    with torch.no_grad():
        for norm in network.modules():
            if isinstance(norm, nn.BatchNorm2d):
                norm.weight.normal_()
                norm.bias.normal_()
    batch = torch.randn(5, *shape, dtype=torch.float64)
    kept = {name: value.clone() for name, value in network.state_dict().items()}
    results = []
    for order in (network, in_source_order(network)):
        network.load_state_dict(kept)
        network.zero_grad()
        torch.manual_seed(1)
        logits = order.train()(batch)
        logits.square().sum().backward()
        gradients = [parameter.grad.clone() for parameter in network.parameters()]
        remembered = [value.clone() for value in network.buffers()]
        results.append((logits, gradients, remembered, order.eval()(batch)))
    torch.testing.assert_close(*results, rtol=1e-9, atol=1e-9)
    assert any((norm.weight < 0).any() for norm in network.modules() if isinstance(norm, nn.BatchNorm2d))


@pytest.mark.parametrize(
    ("config", "refused", "taken"),
    [
        (LuzConvnetConfig(), [(1, 77, 101), (1, 257, 77)], (1, 78, 78)),
        (LuzConvnetConfig(channels=(4,)), [(1, 2, 9)], (1, 3, 3)),
        (DigitCnnConfig(), [(1, 3, 64), (1, 64, 3)], (1, 4, 4)),
        (SpectrogramCnnConfig(), [(1, 6, 40), (1, 40, 6)], (1, 7, 7)),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_convolution_networks_refuse_no_more_than_they_must(config, refused, taken):
    network = config.build(taken, 3).eval()
    assert network(torch.zeros(1, *taken)).shape == (1, 3)
    for shape in refused:
        assert list(config.misfits(shape))
        with pytest.raises(RuntimeError, match=r"too small|can't be greater"):
            config.build(taken, 3).eval()(torch.zeros(1, *shape))
    assert not list(config.misfits(taken))


def test_pooling_before_relu_is_pooling_after_it():
    torch.manual_seed(0)
    network, batch = DigitCnnConfig().build((1, 20, 24), 3), torch.randn(4, 1, 20, 24)
    x = batch
    for convolution in network.convolutions:
        x = nn.functional.max_pool2d(torch.relu(convolution(x)), 2)
    assert torch.equal(network(batch), network.last(x.flatten(1)))

    network, batch = SpectrogramCnnConfig().build((1, 20, 24), 3).eval(), torch.randn(4, 1, 20, 24)
    x = nn.functional.max_pool2d(torch.relu(network.convolution(batch)), 4).movedim(1, 3).flatten(1)
    assert torch.equal(network(batch), network.last(torch.relu(network.hidden(x))))


@pytest.mark.parametrize("config", [MlpConfig(), SpectrogramCnnConfig()], ids=lambda config: config.kind)
def test_networks_of_the_keras_tutorial_start_as_keras_starts_them(config):
    for name, parameter in config.build((1, 60, 50), 10).named_parameters():
        if name.endswith("bias"):
            assert not parameter.any()
        else:
            field = parameter[0, 0].numel() if parameter.ndim > 2 else 1
            limit = (6 / (field * (parameter.shape[0] + parameter.shape[1]))) ** 0.5
            assert 0.9 * limit < parameter.abs().max() <= limit


def test_gru_cuts_a_raw_wave_into_frames_in_time():
    """Ten values in frames of four, the last filled up with zeros, give what three frames of four bins give."""
    torch.manual_seed(0)
    network = GruConfig(frame_samples=4, hidden=8).build((1, 1, 10), 3).eval()
    wave = torch.arange(1.0, 11)
    frames = torch.tensor([[1.0, 5, 9], [2, 6, 10], [3, 7, 0], [4, 8, 0]])
    cut = GruConfig(hidden=8).build((1, 4, 3), 3).eval()
    cut.load_state_dict(network.state_dict())
    torch.testing.assert_close(network(wave[None, None, None]), cut(frames[None, None]))


def test_gru_scores_the_last_state_of_each_way():
    torch.manual_seed(0)
    network = GruConfig(pooling="last", hidden=8).build((1, 5, 6), 3).eval()
    batch = torch.randn(2, 1, 5, 6)
    states = network.recurrent(batch[:, 0].transpose(1, 2))[1]
    expected = network.last(torch.cat((states[-2], states[-1]), dim=1))
    torch.testing.assert_close(network(batch), expected)


def test_feed_forward_without_batch_norm_takes_a_single_clip():
    network = FeedForwardConfig(batch_norm=False, hidden=()).build((1, 9, 1), 3).train()
    assert network(torch.zeros(1, 1, 9, 1)).shape == (1, 3)


def test_a_convnet_needs_a_stage():
    with pytest.raises(SettingsError, match="channels: is empty"):
        LuzConvnetConfig(channels=())


@pytest.mark.parametrize(
    ("features", "model", "says"),
    [
        (
            {"kind": "waveform"},
            {"kind": "luz_convnet"},
            "luz_convnet of 5 stages needs at least 78 bins and 78 frames, waveform gives 1 bin and 16,000 frames; "
            "features that fit: spectrogram",
        ),
        (
            {"kind": "mel", "n_mels": 3},
            {"kind": "digit_cnn"},
            "digit_cnn needs at least 4 bins and 4 frames, mel gives 3 bins and 101 frames; features that fit: "
            "mel with its defaults, mfcc, scattering, spectrogram",
        ),
        (
            {"kind": "dft", "power": None, "scale": "linear"},
            {"kind": "gru"},
            "gru needs at least 2 frames, dft gives 2 channels of 8,001 bins and 1 frame; features that fit: mel, ",
        ),
        (
            {"kind": "mel"},
            {"kind": "luz_convnet", "channels": [2] * 12},
            "features that fit: none with its defaults",
        ),
    ],
)
def test_a_refused_recipe_names_features_that_fit(features, model, says):
    values = {"dataset": {"kind": "fsdd"}, "features": features, "model": model}
    with pytest.raises(SettingsError) as caught:
        recipe_from_values(values, source="recipe.yaml")
    assert says in str(caught.value)
    assert [fault.key for fault in caught.value.faults] == ["model.kind"]
    assert "\n" not in str(caught.value)


def test_unpadded_blocks_lie_within_the_clip_and_their_skips_in_the_middle():
    network = TCResNetConfig(padding="none", kernel=5, channels=(4, 4, 4), width=1.0).build((1, 3, 60), 2).eval()
    block = network.blocks[0]
    with torch.no_grad():
        # The body passes on the frame in the middle of those that it hears; so must the skip.
        for layer in (block.body[0], block.body[3], block.skip[0]):
            layer.weight.zero_()
            for channel in range(4):
                layer.weight[channel, channel, layer.kernel_size[0] // 2] = 1
        frames = torch.rand(1, 4, 41)
        given = block(frames)
    assert given.shape == (1, 4, (41 - 5) // 2 + 1 - 4)
    torch.testing.assert_close(given, 2 * frames[..., 6::2][..., : given.shape[2]], atol=1e-4, rtol=0)


def test_kernels_that_hear_more_frames_than_there_are_name_one_that_fits():
    def misfits(frames, **keys):
        return [str(fault.message) for fault in TCResNetConfig(padding="none", **keys).misfits((1, 40, frames))]

    assert misfits(98) == ["is none: kernels of 9 hear 171 frames; a kernel of 5 fits"]
    assert misfits(98, kernel=5) == misfits(87, kernel=5) == misfits(171) == []
    assert misfits(86, kernel=5) == ["is none: kernels of 5 hear 87 frames; a kernel of 3 fits"]
    for kernel in (1, 3, 5):
        config = TCResNetConfig(padding="none", kernel=kernel)
        least = next(frames for frames in range(1, 100) if not list(config.misfits((1, 40, frames))))
        blocks = config.build((1, 40, least), 2).eval()
        assert blocks.blocks(blocks.first(torch.zeros(1, 40, least))).shape[2] == 1


def test_a_pooled_network_knows_the_order_of_frames_by_its_convolution_alone():
    torch.manual_seed(0)
    clip = torch.randn(1, 1, 6, 9)
    for channels, knows in ((0, False), (8, True)):
        network = PooledMlpConfig(channels=channels).build((1, 6, 9), 4).eval()
        differs = (network(clip) - network(clip.flip(3))).abs().max().item()
        assert (differs > 1e-3) == knows


def test_a_pooled_network_says_when_a_clip_is_shorter_than_its_kernel():
    [fault] = PooledMlpConfig(channels=8, kernel=10).misfits((1, 6, 9))
    assert (fault.key, fault.message) == ("kernel", "is 10, of clips of 9 frames")
    assert not list(PooledMlpConfig(kernel=10).misfits((1, 6, 9)))
