"""The node: the applications of a release, started in order, kept running, stopped in the opposite order."""
