"""A run or a search to one HTML file: what it is, how good it is, and where it goes wrong."""

from kzoo.reports.report import report

__all__ = ["report"]
