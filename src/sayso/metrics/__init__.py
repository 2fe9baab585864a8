"""Numbers made of labels and probabilities: scores, intervals, calibration, rejection. Nothing here reads a file."""
