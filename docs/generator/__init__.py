"""What the documentation is made of besides its pages: what is generated from the code, and the site's own hooks."""
