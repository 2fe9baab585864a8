"""What a recipe means: its settings, where it comes from, and its prepared clips."""
