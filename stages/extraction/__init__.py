"""Frame extraction: a clip's file becomes lossless frames with exact times, shots, facts and untouched sound."""
