"""The one command, ``likeness``: all that people do with the project; each part is imported when it is asked for."""
