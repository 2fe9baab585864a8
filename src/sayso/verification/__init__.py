"""Does a finished run still hold? `predictions` reads its answers, `scores` compares figures, `whole` asks all."""

from sayso.verification.scores import SCORE_TOLERANCE, TOLERANCE
from sayso.verification.whole import Check, verify

__all__ = ["SCORE_TOLERANCE", "TOLERANCE", "Check", "verify"]
