"""The interpreter that a release holds: chosen, asked about itself, copied."""
