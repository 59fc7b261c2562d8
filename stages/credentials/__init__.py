"""Signed credentials (C2PA): who made a deliverable, from what, by whose consent; and whether it is still as it was."""
