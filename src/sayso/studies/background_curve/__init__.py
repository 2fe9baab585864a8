"""How false alarms fall with minutes of background to train on, and how many more would halve them."""
