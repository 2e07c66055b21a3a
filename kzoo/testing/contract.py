"""The error of all checks."""

from __future__ import annotations


class ContractError(AssertionError):
    """Something that another package wrote breaks its contract with kzoo.

    Attributes:
        line: The line that is broken, by the name that the check's documentation gives it.
    """

    def __init__(self, subject: str, line: str, message: str) -> None:
        super().__init__(f"{subject}: {line}: {message}")
        self.line = line
