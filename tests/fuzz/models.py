"""Models: exported ones, their streaming forms and weights, read and asked for an answer.

They are damaged also within well formed files.
"""

import json
import struct
import warnings
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import torch

import sayso
from fuzz.mutations import Rng, mutate_text
from fuzz.target import RATE, damage_bytes
from models_made import loudness_model
from runs_made import small_recipe
from sayso.classifier.checkpoint import save_model
from sayso.classifier.export import export
from sayso.classifier.module import Classifier
from sayso.classifier.streaming_export import export_streaming
from sayso.errors import SoundWarning
from sayso.models.tc_resnet import TCResNetConfig
from sayso.recipe.recipe import recipe_yaml
from sayso.runtime import Stream

__all__ = [
    *("answer", "answer_by_weights", "answer_on_stream", "damage_onnx", "damage_weights", "exported"),
    *("streaming_form", "weights"),
]


def _classifier() -> Classifier:
    torch.manual_seed(0)
    return Classifier(small_recipe(Path("clips")), ["high", "low", "middle"]).eval()


def exported(folder: Path) -> tuple[bytes, ...]:
    """Give a model that is exported once a folder, and one made by hand."""
    kept = folder / "whole.onnx"
    if not kept.exists():
        clips = np.random.default_rng(0).integers(-9_000, 9_000, (2, 4_000)).astype(np.int16)
        export(_classifier(), kept, clips)
    return (kept.read_bytes(), loudness_model(folder / "hand.onnx", temperature="1.5", threshold="0.4").read_bytes())


def streaming_form(folder: Path) -> tuple[bytes, ...]:
    """Give the streaming form of a model that lies beside it; made once a folder."""
    kept = folder / "stream.onnx.whole"
    if not kept.exists():
        small = small_recipe(Path("clips"))
        network = TCResNetConfig(channels=(4, 6, 8), width=1.0, kernel=3, padding="none")
        torch.manual_seed(0)
        recipe = replace(small, features=replace(small.features, centre=False), model=network)
        classifier = Classifier(recipe, ["high", "low", "middle"]).eval()
        clips = np.random.default_rng(0).integers(-9_000, 9_000, (2, 4_000)).astype(np.int16)
        export(classifier, folder / "model.onnx", clips)
        made = export_streaming(classifier, folder / "model.onnx", clips)
        assert made is not None
        made.rename(kept)
    return (kept.read_bytes(),)


def damage_onnx(content: bytes, rng: Rng, others: tuple[bytes, ...]) -> bytes:
    """Change bytes, or what the metadata say, or a number of the graph, in a file that is well formed still."""
    if rng.random() < 0.5:
        return damage_bytes(content, rng, others)
    model = onnx.load_from_string(content)
    if rng.random() < 0.6:
        entry = model.metadata_props[rng.integers(len(model.metadata_props))]
        texts = tuple(each.value for each in model.metadata_props)
        entry.value = mutate_text(entry.value, rng, others=texts).encode(errors="replace").decode()
        return model.SerializeToString()
    with suppress(ValueError, TypeError):  # a number that this field cannot hold
        _change_graph(model.graph, rng)
    return model.SerializeToString()


def _change_graph(graph: onnx.GraphProto, rng: Rng) -> None:
    """Change one dimension, attribute or name of a graph."""
    edge = int(rng.choice((-1, 0, 1, 2, 3, 7, 1 << 20, (1 << 31) - 1, (1 << 62))))
    kind = rng.integers(4)
    if kind == 0:
        tensor = graph.initializer[rng.integers(len(graph.initializer))]
        if tensor.dims:
            tensor.dims[rng.integers(len(tensor.dims))] = edge
    elif kind == 1:
        value = (*graph.input, *graph.output)[rng.integers(2)]
        value.type.tensor_type.shape.dim[rng.integers(2)].dim_value = edge
    else:
        node = graph.node[rng.integers(len(graph.node))]
        if node.attribute and kind == 2:
            attribute = node.attribute[rng.integers(len(node.attribute))]
            if attribute.ints:
                attribute.ints[rng.integers(len(attribute.ints))] = edge
            attribute.i = edge
        else:
            strange = graph.node[rng.integers(len(graph.node))]
            node.op_type = strange.op_type
            if node.input:
                node.input[rng.integers(len(node.input))] = strange.output[0]


def answer(path: Path) -> None:
    """Answer on one sound."""
    recognizer = sayso.load(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SoundWarning)
        time = np.arange(RATE) / RATE
        recognizer.predict((0.5 * np.sin(2 * np.pi * 440 * time)).astype(np.float32), sample_rate=RATE, top=2)


def answer_on_stream(path: Path) -> None:
    """Listen to a second of sound with the model beside the file, in two pieces and once more after silence."""
    stream = Stream(path.parent)
    time = np.arange(RATE) / RATE
    sound = (0.5 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    stream.feed(sound[:3_000])
    stream.feed(sound[3_000:])
    stream.reset()
    stream.feed(sound)


def weights(folder: Path) -> tuple[bytes, ...]:
    """Weights, and the other files of their run."""
    classifier = _classifier()
    save_model(folder / "model.safetensors", classifier)
    (folder / "recipe.yaml").write_text(recipe_yaml(classifier.recipe))
    return ((folder / "model.safetensors").read_bytes(),)


def damage_weights(content: bytes, rng: Rng, others: tuple[bytes, ...]) -> bytes:
    """Change bytes, or the text of the header, in a file that is well formed still."""
    if rng.random() < 0.4:
        return damage_bytes(content, rng, others)
    (size,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + size])
    facts = json.loads(header["__metadata__"]["sayso"])
    kind = rng.integers(3)
    if kind == 0:
        facts["recipe"] = mutate_text(facts["recipe"], rng, others=(facts["recipe"],))
    said = json.dumps(facts)
    if kind == 1:
        said = mutate_text(said, rng, others=(said,))
    header["__metadata__"]["sayso"] = said
    text = json.dumps(header)
    if kind == 2:
        text = mutate_text(text, rng, others=(text,))
    new = text.encode(errors="surrogatepass")
    return struct.pack("<Q", len(new)) + new + content[8 + size :]


def answer_by_weights(path: Path) -> None:
    """Open the run, and answer on one clip."""
    classifier = sayso.load(path.parent).classifier()
    with torch.inference_mode():
        classifier(torch.zeros(1, classifier.audio.clip_samples))
