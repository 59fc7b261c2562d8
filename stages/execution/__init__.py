"""Where the frame-wise work of stages is done: here, in local processes or on a Dask cluster, to the same bytes."""
