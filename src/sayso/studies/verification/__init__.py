"""Does a finished run still hold? `differences` compares figures, `verify` asks all."""
