"""Lets a clip in: its file and its person's consent are looked at before anything depends on them."""
