"""Stage ``cast``: the settings in, who learns under a pair's encoder beside its two out."""
