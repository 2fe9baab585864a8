from xml.etree import ElementTree

import numpy as np
import pytest

from sayso.views.plots.confusion import draw_confusion_matrix
from sayso.views.plots.style import svg_text

LABELS = ["打开", "здравствуй", "γειά σου", '<b>&"', "$cost$ $5", "two words", "नमस्ते", "🙂"]


def texts(svg):
    return [
        "".join(element.itertext()) for element in ElementTree.fromstring(svg).iter() if element.tag.endswith("text")
    ]


def test_every_script_stays_text():
    counts = np.eye(len(LABELS), dtype=np.int64) * 9 + 1
    shown = texts(svg_text(draw_confusion_matrix(counts, LABELS)))
    for label in LABELS:
        assert shown.count(label) == 2
    assert shown.count("10") == len(LABELS)


@pytest.mark.parametrize(("classes", "has_counts"), [(20, True), (21, False), (35, False), (120, False)])
def test_counts_stand_in_the_cells_up_to_20_words(classes, has_counts):
    counts = np.eye(classes, dtype=np.int64) * 37
    figure = draw_confusion_matrix(counts, [f"word {i}" for i in range(classes)])
    assert ("37" in [text.get_text() for text in figure.axes[0].texts]) == has_counts
    assert max(figure.get_size_inches()) < 18


def test_right_is_blue_wrong_is_vermilion_and_more_is_stronger():
    figure = draw_confusion_matrix(np.array([[8, 2], [5, 5]]), ["no", "yes"])
    colours = figure.axes[0].collections[-1].get_facecolors()
    right, rarely, often, half = colours  # row by row
    assert right[2] > right[0]
    assert rarely[0] > rarely[2]
    assert right[3] > half[3]
    assert often[3] > rarely[3]


def test_rows_and_columns_that_are_empty():
    figure = draw_confusion_matrix(np.array([[0, 0], [0, 3]]), ["never", "always"])
    assert [text.get_text() for text in figure.axes[0].texts] == ["3"]


@pytest.mark.parametrize("label", ["x" * 300, "tab\there", "bell\x07", "\udcff", ""])
def test_labels_that_no_file_name_should_have(label):
    svg = svg_text(draw_confusion_matrix(np.ones((2, 2), np.int64), [label, "fine"]))
    assert max(map(len, texts(svg))) <= 24
