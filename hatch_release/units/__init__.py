"""The directories that a release is made of, each made once and cached."""
