"""Stage ``training``: two face sets in, a swap model out."""
