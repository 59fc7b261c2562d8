"""Takes over what a person decided about a clip, each kind apart for the stage that reads it."""
