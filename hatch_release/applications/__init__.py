"""What a release starts: who is an application, in which mode and order."""
