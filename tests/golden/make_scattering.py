"""Make the golden scattering arrays with Kymatio's NumPy front end in float64, without Sayso and torch.

    python3 -m venv /tmp/kymatio
    /tmp/kymatio/bin/pip install kymatio==0.3.0 "scipy<1.15" "numpy<2.3" soundfile
    cd tests && SAYSO_DATA=... /tmp/kymatio/bin/python -m golden.make_scattering

Results alone are kept, as float32, every so many frames of the longer ones; never samples.
"""

import numpy as np
from kymatio.numpy import Scattering1D

from golden.scattering_cases import CASES, FOLDER, name_of, samples_of


def main():
    made = {}
    for case in CASES:
        samples = samples_of(case)
        coefficients = Scattering1D(case["J"], len(samples), case["Q"], T=case["T"])(samples)
        made[name_of(case)] = coefficients[:, :: case["every"]].astype(np.float32)
    np.savez_compressed(FOLDER / "scattering.npz", **made)


if __name__ == "__main__":
    main()
