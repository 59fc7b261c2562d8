"""Builds the face set of a clip: aligned crops with masks, filtered, in a training and a held-out part."""
