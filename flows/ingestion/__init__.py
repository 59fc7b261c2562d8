"""Footage that arrives in a watched folder or bucket: what is whole, agreed and sound comes in, the rest is named."""
