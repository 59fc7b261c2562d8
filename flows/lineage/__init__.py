"""From a deliverable, or one of its frames, back to clips, settings, code and consent: what DVC and git wrote down."""
