"""Says of any file whether it carries a credential, our mark, both or neither, and who made it from what."""
