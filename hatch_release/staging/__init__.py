"""The directory beside the root in which a release is made, and the way from there into the root."""
