"""Makes the files of the open pack from their upstream files."""
