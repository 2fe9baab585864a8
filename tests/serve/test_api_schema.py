"""All of schemathesis' checks: whatever its description allows or forbids, the interface answers as it says."""

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import schemathesis
import soundfile
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

pytest.importorskip("starlette", reason="needs the extra serve")

from schemathesis import GenerationMode

from api_made import DESCRIPTION, make_api
from sayso.runtime import Recognizer
from sayso.serve.models import name_models
from tone_model_made import make_tone_model

EXAMPLES = 25
HOST = {"host": "127.0.0.1:8080"}


@st.composite
def sounds(draw):
    """A real file of a second or less."""
    kind, subtype = draw(st.sampled_from([("WAV", "PCM_16"), ("WAV", "FLOAT"), ("FLAC", "PCM_16"), ("AIFF", "PCM_24")]))
    rate, channels = draw(st.sampled_from([8000, 16_000, 44_100])), draw(st.integers(1, 2))
    samples = np.random.default_rng(draw(st.integers(0, 99))).uniform(-1, 1, (draw(st.integers(1, rate)), channels))
    file = io.BytesIO()
    soundfile.write(file, samples * draw(st.floats(0, 1)), rate, format=kind, subtype=subtype)
    return file.getvalue()


for kind in ("audio/wav", "audio/*", "application/octet-stream"):
    schemathesis.openapi.media_type(kind, sounds())


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    paths = [make_tone_model(folder / name) for name in ("tones.onnx", "other.onnx")]
    models = name_models([(Recognizer(path, threads=1), None) for path in paths], lambda text: None)
    with ThreadPoolExecutor(2) as workers:
        app = make_api(models, workers)[1]
        yield schemathesis.openapi.from_asgi("/api/openapi.json", app, headers=HOST)


# A plain GET of the WebSocket's address cannot be right, and what takes nothing cannot be asked wrongly.
CASES = [
    (path, method, mode)
    for path, methods in DESCRIPTION["paths"].items()
    for method, described in methods.items()
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    if path != "/api/stream" and (mode is GenerationMode.POSITIVE or "parameters" in described)
]


@pytest.mark.parametrize(("path", "method", "mode"), CASES)
def test_the_interface_is_as_it_says(api, path, method, mode):
    operation = api[path][method.upper()]
    answered = 0

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=HealthCheck,
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case):
        nonlocal answered
        case.call_and_validate(headers=HOST)
        answered += 1

    ask()
    assert answered
