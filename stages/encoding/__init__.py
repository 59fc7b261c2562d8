"""Encoding: finished frames and the clip's own sound become the deliverable."""
