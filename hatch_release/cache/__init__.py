"""What was made once and is kept for later builds."""
