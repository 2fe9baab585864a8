"""A recipe in, a run folder out: the one caller of training, evaluation, views and export."""
