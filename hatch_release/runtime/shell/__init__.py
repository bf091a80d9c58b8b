"""Shells: what an operator types is completed, run and shown, by IPython where the release includes it."""
