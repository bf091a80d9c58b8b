"""Which modules name which others, and what of the standard library that reaches."""
