"""A small HTTP server that answers by a trained model."""
