"""The configuration of a release, as far as it is known when the release is assembled."""
