"""Looking into a release that is there, as a directory or an archive, from outside and without running it."""
