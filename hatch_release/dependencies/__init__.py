"""What the project needs: from the lock to installed distributions."""
