"""The clips of a recipe, ready to train on."""

from sayso.data.clips import Listing
from sayso.data.corpus import Corpus, pack
from sayso.data.leakage import Leakage, check_leakage
from sayso.data.leakage.unknown_words import check_unheard
from sayso.data.splits.draw import Split, make_split
from sayso.data.unknown_words import list_for_recipe
from sayso.errors import DataError
from sayso.recipe.recipe import Recipe
from sayso.system.distributed import let_one_per_machine_go_first
from sayso.system.progress import Progress

__all__ = ["leakage_of", "open_clips", "open_data", "open_unheard", "split_of"]


def open_clips(recipe: Recipe, progress: Progress) -> Corpus:
    """The packed clips of a recipe.

    Raises:
        DataError: they cannot be used as the recipe says.
    """
    with let_one_per_machine_go_first():
        listing = list_for_recipe(recipe.dataset, progress)
        return pack(listing, recipe.audio, progress=progress, max_bad_share=recipe.dataset.max_bad_share)


def open_data(recipe: Recipe, progress: Progress) -> tuple[Corpus, Split]:
    """The packed clips of a recipe and their split.

    Raises:
        DataError: the clips cannot be used as the recipe says.
    """
    corpus = open_clips(recipe, progress)
    return corpus, split_of(corpus, recipe)


def split_of(corpus: Corpus, recipe: Recipe) -> Split:
    """The parts into which a recipe divides its clips.

    Raises:
        DataError: these clips cannot be divided as it says.
    """
    settings = recipe.training
    return make_split(
        corpus,
        recipe.dataset,
        validation=settings.validation,
        validation_share=settings.validation_share,
        seed=settings.seed,
    )


def open_unheard(recipe: Recipe, corpus: Corpus, split: Split, progress: Progress) -> Corpus | None:
    """The packed clips of `dataset.reject_words`, as far as they belong with the test part; None without such words.

    They are of its speakers where it was chosen by speaker, the source's own test clips where it is the official one,
    and all of them where it was drawn at random: so that known and unknown words differ in nothing but the word.

    Raises:
        DataError: none of them belongs with the test part, or they cannot be read.
    """
    if not recipe.dataset.reject_words:
        return None
    with let_one_per_machine_go_first():
        listing = list_for_recipe(recipe.dataset, progress)
        speakers = {corpus.clips[row].speaker for row in split.test}
        tested = [
            clip
            for clip in listing.unheard
            if (split.kind != "speakers" or clip.speaker in speakers)
            and (split.kind != "official" or clip.split == "test")
        ]
        if not tested:
            raise DataError(
                f"dataset.reject_words: no clips of {', '.join(recipe.dataset.reject_words)} belong with the test part "
                f"of the {split.kind} split; name other words, or use another dataset.split"
            )
        return pack(Listing(tuple(tested)), recipe.audio, progress=progress, max_bad_share=recipe.dataset.max_bad_share)


def leakage_of(recipe: Recipe, corpus: Corpus, split: Split, unheard: Corpus | None, progress: Progress) -> Leakage:
    """What test clips, and clips of words never learned, share with what is trained on.

    Raises:
        DataError: the very samples of one are trained on, and that is not allowed by name.
    """
    allowed = recipe.dataset.allow_copies
    with let_one_per_machine_go_first():
        tested = check_leakage(corpus, split, allow_copies=allowed, progress=progress)
        if unheard is None:
            return tested
        others = check_unheard(corpus, split, unheard, allow_copies=allowed, progress=progress)
        return Leakage((*tested.notes, *others.notes), tested.facts | others.facts)
