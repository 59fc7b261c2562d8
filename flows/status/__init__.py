"""How clips, pairs and swaps stand, and what bringing them up to date would take."""
