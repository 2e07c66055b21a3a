"""Trained models as pages that a browser opens."""
