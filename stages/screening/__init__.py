"""Looks at a clip's pictures before anything is made of them: no nudity comes in."""
