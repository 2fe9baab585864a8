"""Everything that lies in the folder of a run, written and read here alone."""
