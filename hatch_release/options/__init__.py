"""What the user wrote in pyproject.toml: the table of all options, and its checks."""
