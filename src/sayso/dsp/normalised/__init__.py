"""Layers with their batch norm and what follows it in one step, for training on processors, where they are slow apart.

Each is computed by a program in C that is compiled on this machine (`compiled`), or by products of matrices where there
is no compiler (`dense_map`): the same up to rounding.
"""

from sayso.dsp.normalised.across import mapped_relu
from sayso.dsp.normalised.over_time import OverTime
from sayso.dsp.normalised.square import depthwise, unfolded
from sayso.dsp.normalised.stencil import Stencil, stencil_relu

__all__ = ["OverTime", "Stencil", "depthwise", "mapped_relu", "stencil_relu", "unfolded"]
