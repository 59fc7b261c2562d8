"""Evaluation: how good a swap is, in figures, with controls, and in pictures."""
