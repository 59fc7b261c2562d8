"""Stages made by workers on other machines, each in a clone of its own, with a DVC remote between them."""
