"""One file a fault that takes a training to find."""
