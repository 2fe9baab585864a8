"""One key set in a recipe's file: every other byte stays, however the file is written."""

import pytest

from sayso.errors import OutputError, SettingsError
from sayso.recipe.edit import check_key, set_key
from sayso.recipe.recipe import read_recipe

DATA = "dataset: {kind: fsdd} # digits\n"
TEXTS = {
    "block": (DATA + "training:\n  # why\n  learning_rate: 1e-3   # high\n  epochs: 3\n", "1e-3", "2.5e-03"),
    "flow": (DATA + "training: {epochs: 3, learning_rate: 0.1, seed: 1}\n", "0.1", "2.5e-03"),
    "quoted": (DATA + "'training': {\"learning_rate\": '0.1'}", "'0.1'", "2.5e-03"),
    "flow without": (DATA + "training: {epochs: 3}\n", "{epochs", "{learning_rate: 2.5e-03, epochs"),
    "empty flow": (DATA + "training: {}\n", "{}", "{learning_rate: 2.5e-03}"),
    "block without": (
        DATA + "training: # here\n\n    epochs: 3\n# end\n",
        "    epochs",
        "    learning_rate: 2.5e-03\n    epochs",
    ),
    "missing": (DATA + "# end", "# end", "# end\ntraining:\n  learning_rate: 2.5e-03\n"),
    "all in braces": ("{dataset: {kind: fsdd}}\n", "{dataset", "{training: {learning_rate: 2.5e-03}, dataset"),
    "windows": ("dataset: {kind: fsdd}\r\n", "fsdd}\r\n", "fsdd}\r\ntraining:\r\n  learning_rate: 2.5e-03\r\n"),
    "indented": (" dataset: {kind: fsdd}\n", "fsdd}\n", "fsdd}\n training:\n   learning_rate: 2.5e-03\n"),
    "other scripts": ("# да 左\U0001f600\n" + DATA + "training: {learning_rate: 1}\n", ": 1}", ": 2.5e-03}"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_only_the_key_changes(name, tmp_path):
    text, old, new = TEXTS[name]
    path = tmp_path / "r.yaml"
    path.write_bytes(text.encode())
    set_key(path, "training", "learning_rate", "2.5e-03")
    assert path.read_bytes().decode() == text.replace(old, new, 1)
    assert read_recipe(path).training.learning_rate == 2.5e-3


def test_what_a_recipe_extends_stays_and_links_are_followed(tmp_path):
    (tmp_path / "base.yaml").write_text(DATA + "training: {learning_rate: 0.1, epochs: 7}\n")
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "r.yaml").write_text("extends: ../base.yaml\n")
    (tmp_path / "link.yaml").symlink_to(tmp_path / "real" / "r.yaml")
    set_key(tmp_path / "link.yaml", "training", "learning_rate", "0.5")
    assert (tmp_path / "link.yaml").is_symlink()
    assert (tmp_path / "base.yaml").read_text() == DATA + "training: {learning_rate: 0.1, epochs: 7}\n"
    training = read_recipe(tmp_path / "real" / "r.yaml").training
    assert (training.learning_rate, training.epochs) == (0.5, 7)


@pytest.mark.parametrize(
    "text",
    [
        DATA + "training: {learning_rate: &r 0.1, weight_decay: *r}\n",
        "audio: &a {}\n" + DATA + "training: *a\n",
        DATA + "...\n",
    ],
)
def test_files_in_which_the_key_cannot_be_set_alone_stay_as_they_are(text, tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=r"training\.learning_rate: cannot be set .* by hand"):
        set_key(path, "training", "learning_rate", "0.5")
    assert path.read_text() == text
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_nobody_may_write_stays_as_it_is(tmp_path, monkeypatch):
    path = tmp_path / "r.yaml"
    path.write_text(DATA)
    path.chmod(0o444)
    monkeypatch.setattr("os.access", lambda place, mode: False)  # who runs the tests may be allowed everything
    for change in (check_key, set_key):
        with pytest.raises(OutputError, match=r"cannot write .*r\.yaml: no permission to write there"):
            change(path, "training", "learning_rate", "0.5")
    assert path.read_text() == DATA
