"""Compositing: converted faces go back into the frames they came from, and nowhere else."""
