"""Places dense landmarks on the right person's face and turns it to the canonical crop, steadily over time."""
