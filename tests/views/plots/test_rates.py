import numpy as np

from sayso.views.plots.rates import draw_loss_by_rate


def test_both_curves_over_a_logarithmic_rate_and_the_suggestion_marked():
    rates = np.geomspace(1e-6, 10, 50).tolist()
    losses = np.linspace(3, 1, 50).tolist()
    axes = draw_loss_by_rate(rates, losses, losses[::-1], suggestion=3e-3).axes[0]
    assert [list(line.get_ydata()) for line in axes.lines[:2]] == [losses, losses[::-1]]
    assert axes.get_xscale() == "log"
    assert "suggested: 3.0e-03" in [text.get_text() for text in axes.texts]
    assert "nats" in axes.get_ylabel()
