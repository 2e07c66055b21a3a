"""A page that answers as a trained model does: its weights inside, computed by JavaScript."""

from kzoo.pages.demo.page import demo, demo_page

__all__ = ["demo", "demo_page"]
