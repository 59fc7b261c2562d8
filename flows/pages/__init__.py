"""What Prefect's pages show of a run: bars, sheets, links and lineage, as artifacts of Prefect."""
