"""When and where the pipeline runs: Prefect drives DVC, and the lineage reads what DVC wrote down.

DVC owns what a result is (stages, settings, hashes, cache); Prefect owns when and where it is made (flows, schedules,
retries, limits, watching). A flow makes nothing that ``dvc repro`` would not make.
"""
