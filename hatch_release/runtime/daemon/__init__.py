"""Daemons: a system in the background, a keeper that holds its terminal, its log, and its being brought back."""
