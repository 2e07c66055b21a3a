"""A trained model as a page, and behind a server."""
