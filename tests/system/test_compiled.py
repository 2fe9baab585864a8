"""C compiled on the machine it runs on."""

import tempfile

import pytest
import torch  # noqa: F401  brings the threads

from sayso.system.compiled import compiled, find_compiler


@pytest.fixture
def source(tmp_path):
    (tmp_path / "sum.c").write_text(
        "#ifndef MORE\n#define MORE 0\n#endif\n"
        "long count_to(long end) {\n    long sum = MORE;\n#pragma omp parallel for reduction(+ : sum)\n"
        "    for (long i = 0; i <= end; i++) sum += i;\n    return sum;\n}\n"
    )
    return tmp_path


@pytest.mark.skipif(not find_compiler(), reason="there is no C compiler here")
def test_it_runs_and_leaves_no_file(source, tmp_path_factory, monkeypatch):
    place = tmp_path_factory.mktemp("place")
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    assert compiled(source).count_to(100) == 5050
    assert compiled(source, "MORE=7").count_to(100) == 5057
    assert compiled(source) is compiled(source)
    assert not list(place.iterdir())


@pytest.mark.skipif(not find_compiler(), reason="there is no C compiler here")
def test_a_compiler_is_a_command_of_any_words(source, monkeypatch):
    plain = " ".join(find_compiler())
    monkeypatch.setenv("CC", f"env {plain}")
    assert find_compiler() == ("env", *plain.split())
    assert compiled(source, "MORE=1").count_to(2) == 4


@pytest.mark.parametrize("fault", ["no compiler", "no source", "it fails", "nowhere to write"])
def test_where_it_cannot_be_done_there_is_none(source, monkeypatch, fault):
    if fault == "no compiler":
        monkeypatch.setattr("sayso.system.compiled.find_compiler", lambda: None)
    elif fault == "no source":
        (source / "sum.c").unlink()
    elif fault == "it fails":
        (source / "wrong.c").write_text("this is no C")
    else:
        monkeypatch.setattr(tempfile, "tempdir", str(source / "nowhere"))
    assert compiled(source) is None
