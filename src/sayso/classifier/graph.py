"""A module as an ONNX graph, by torch's exporter, with one line where it cannot be one."""

import json
import logging
import re
import warnings
from collections.abc import Generator, Hashable, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sayso.classifier.kept_graphs import keep_graph, kept_graph
from sayso.config.schema import dump
from sayso.errors import ModelError
from sayso.recipe.recipe import Recipe

__all__ = ["OPSET", "graph_taken_over", "make_graph"]

OPSET = 18
# Of a few MB each; the latest are last.
_TRACES_KEPT = 8
_traces: dict[Hashable, Any] = {}


def make_graph(
    module: nn.Module,
    examples: tuple[Tensor, ...],
    inputs: Sequence[str],
    outputs: Sequence[str],
    *,
    dynamic: tuple[Any, ...],
    recipe: Recipe,
    what: str,
) -> torch.onnx.ONNXProgram:
    """Write a module, on the CPU, as a graph.

    Tracing takes seconds and is done once on a machine for modules that differ in their numbers alone.

    Args:
        module: what to write.
        examples: of its inputs.
        inputs: their names in the graph.
        outputs: names of what it gives.
        dynamic: for each argument, its axes that have no fixed length, as torch.export takes them.
        recipe: by which the module was made.
        what: names it in a message.

    Raises:
        ModelError: it uses what ONNX does not have.
    """
    tensors = _tensors_of(module)
    key = (
        _deciding(recipe),
        tuple((name, type(part)) for name, part in module.named_modules()),
        tuple((name, tuple(tensor.shape), tensor.dtype) for name, tensor in tensors.items()),
        tuple(tuple(example.shape) for example in examples),
        (*inputs, *outputs),
    )
    if key not in _traces:
        graph = kept_graph(key, recipe)
        if graph is None:
            graph = _simplified(_trace(module, examples, inputs, outputs, dynamic, what), tensors)
            keep_graph(key, recipe, graph, tensors)
        _traces[key] = graph
        for oldest in [*_traces][:-_TRACES_KEPT]:
            del _traces[oldest]
    ir = import_module("onnx_ir")
    program = torch.onnx.ONNXProgram(ir.from_proto(_traces[key]), None)
    for name, value in program.model.graph.initializers.items():
        if name in tensors:
            value.const_value = ir.tensor(_values(tensors[name]), name=name)
    _simplify(program.model)
    import_module("onnxscript.rewriter.onnx_fusions").fuse(program.model)
    return program


def _deciding(recipe: Recipe) -> str:
    """What of a recipe decides a graph, beside the sizes of its tensors."""
    parts = (recipe.audio, recipe.features, recipe.model, recipe.stream)
    return json.dumps([*map(dump, parts), recipe.level, recipe.normalise, recipe.test_time_speeds])


def _trace(
    module: nn.Module,
    examples: tuple[Tensor, ...],
    inputs: Sequence[str],
    outputs: Sequence[str],
    dynamic: tuple[Any, ...],
    what: str,
) -> Any:
    """Give a graph that names all tensors, since none is worked into others yet, as an onnx.ModelProto."""
    # The exporter imports these by itself; Ctrl-C in the middle of that would pass for an error of theirs.
    for name in ("torch._dynamo", "torch.onnx"):
        import_module(name)
    try:
        # It regrets that torchvision is not installed, which nothing here uses.
        with _only_errors_of("torch.onnx._internal.exporter._registration"), warnings.catch_warnings():
            # torch 2.13's exporter warns about its own use of names that are moving.
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                module.eval(),
                examples,
                dynamo=True,
                opset_version=OPSET,
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_shapes=dynamic,
                verbose=False,
                optimize=False,
            )
    except Exception as error:
        if _interrupted(error):
            raise KeyboardInterrupt from error
        if not isinstance(error, torch.onnx.OnnxExporterError):
            raise
        raise ModelError(f"{what} cannot be written as ONNX: {_innermost(error)}") from error
    assert program is not None
    return program.model_proto


def _simplified(graph: Any, tensors: Mapping[str, Tensor]) -> Any:
    """Simplify a graph as far as the numbers in its named tensors have no say, so that it holds for all modules of it.

    What is left to be done with the numbers takes a tenth of the time.
    """
    ir = import_module("onnx_ir")
    model = ir.from_proto(graph)
    named = [value for name, value in model.graph.initializers.items() if name in tensors]
    numbers = [value.const_value for value in named]
    for value in named:
        value.const_value = None
    # It would say of each of them that it has no numbers.
    with _only_errors_of("onnx_ir"):
        _simplify(model)
    for value, known in zip(named, numbers, strict=True):
        value.const_value = known
    return ir.to_proto(model)


def _simplify(model: Any) -> None:
    """One round; a second one, which is usual, has changed the graph of no representation and no network here."""
    import_module("onnxscript.optimizer").optimize_ir(model, num_iterations=1)


@contextmanager
def _only_errors_of(name: str) -> Generator[None]:
    """Have a logger of another package keep its warnings to itself."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def graph_taken_over(like: Path, module: nn.Module, classes: int, metadata: Mapping[str, str]) -> bytes | None:
    """Take the graph of another module of the same parts, for other words perhaps, with this one's tensors in it.

    Args:
        like: its file, whose first output has the classes as its second axis.
        module: whose tensors go in.
        classes: how many it has.
        metadata: of the new file.

    Returns:
        The new file; None where the graph has to be made anew: it does not name all tensors, is damaged, or has other
        constants, as code that has changed since made them.
    """
    onnx = import_module("onnx")
    try:
        model: Any = onnx.load(str(like))
    except (OSError, import_module("google.protobuf.message").DecodeError):
        return None
    tensors = _tensors_of(module)
    found = {entry.name: entry for entry in model.graph.initializer if entry.name in tensors}
    needed = {id(part) for part in module.parameters()}
    learned = module.state_dict().keys()
    needed |= {id(tensor) for name, tensor in tensors.items() if name.rpartition(".")[2] == "divisor"}
    if not needed <= {id(tensors[name]) for name in found}:
        return None
    to_array = onnx.numpy_helper.to_array
    constants = [each for each in found if each not in learned and not each.endswith("divisor")]
    if not all(np.array_equal(to_array(found[each]), _values(tensors[each])) for each in constants):
        return None
    for name, entry in found.items():
        entry.CopyFrom(onnx.numpy_helper.from_array(_values(tensors[name]), name))
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = classes
    # Sizes in between hang on the number of words; whoever reads the file works them out.
    del model.graph.value_info[:]
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, dict(metadata))
    return model.SerializeToString()


def _tensors_of(module: nn.Module) -> dict[str, Tensor]:
    """By every name that each has: two modules may share one, and a graph takes either name."""
    parameters = module.named_parameters(remove_duplicate=False)
    return {**dict(parameters), **dict(module.named_buffers(remove_duplicate=False))}


def _values(tensor: Tensor) -> NDArray[np.generic]:
    return np.ascontiguousarray(tensor.detach().cpu().numpy())


def _interrupted(error: BaseException) -> bool:
    """Whether Ctrl-C is what began it; torch turns that into errors of its own."""
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        each = left.pop()
        if isinstance(each, KeyboardInterrupt):
            return True
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            left += [each.__cause__, each.__context__]
    return False


def _innermost(error: BaseException) -> str:
    """The first line of the cause at the bottom, without a terminal's colours."""
    while error.__cause__:
        error = error.__cause__
    return re.sub(r"\x1b\[[0-9;]*m", "", (str(error) or type(error).__name__).splitlines()[0])
