"""Small recipes that tests compare: tones by word and speaker, trained in a fraction of a second each."""

from pathlib import Path

from runs_made import small_recipe
from sayso.recipe import recipe_yaml

__all__ = ["outcome_of", "write_recipes"]


def write_recipes(folder: Path, tones: Path, *, epochs: int = 1) -> list[Path]:
    """Write two recipes of the same clips that differ in their network."""
    folder.mkdir(parents=True, exist_ok=True)
    text = recipe_yaml(small_recipe(tones, epochs=epochs))
    narrow = text.replace("channels: [4, 6, 8]", "channels: [2, 3, 4]")
    paths = [folder / "wide.yaml", folder / "narrow.yaml"]
    for path, content in zip(paths, (text, narrow), strict=True):
        path.write_text(content, encoding="utf-8")
    return paths


def outcome_of(out: Path) -> dict[str, bytes]:
    """What must be the same however a comparison came to its end: weights, answers, and tables without times."""
    kept = {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.glob("cells/*/*"))
        if path.name in ("model.safetensors", "predictions.csv", "recipe.yaml")
    }
    return kept | {name: (out / name).read_bytes() for name in ("pairs.csv", "speakers.csv")}
