"""What is written into a release beside its units: boot files, records, manifest, archive."""
