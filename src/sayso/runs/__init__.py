"""Everything that lies in the folder of a run, written and read here alone; a file of it a module."""
