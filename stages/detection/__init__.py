"""Finds every face of a clip, follows it over time and says which is the right person."""
