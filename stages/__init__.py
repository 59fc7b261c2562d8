"""The pipeline's stages: one package a stage, named as in dvc.yaml, and the few things that they share."""
