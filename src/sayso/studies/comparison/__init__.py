"""Many recipes on the same folds and seeds: trained in parallel, ranked, and told apart where the speakers allow it."""
