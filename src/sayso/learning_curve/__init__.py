"""How accuracy grows with speakers and with clips of each, and what more of them would bring."""

from sayso.learning_curve.whole import LearningCurve, learning_curve

__all__ = ["LearningCurve", "learning_curve"]
