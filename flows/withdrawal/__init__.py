"""After a withdrawal: finds all that came from a person, wherever DVC keeps it, removes it, and leaves tombstones."""
