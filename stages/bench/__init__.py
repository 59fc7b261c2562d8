"""Measures stages beside each other, on scenes whose truth is exact: it calls the stages' own methods, as they are."""
