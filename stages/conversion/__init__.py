"""Stage ``conversion``: a swap model and a target's aligned faces in, converted crops out."""
