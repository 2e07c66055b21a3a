"""A command that takes a spec: what is typed like an option and is a setting is told."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand


class SpecCommand(TyperCommand):
    """A command whose settings are typed as ``path=value``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse what was typed; an unknown option that is a setting's name says how it is typed."""
        try:
            return super().parse_args(ctx, args)
        # Typer has a copy of click of its own, which it does not export.
        except Exception as error:
            if type(error).__name__ == "NoSuchOption" and hasattr(error, "option_name"):
                path = _setting_called(str(error.option_name))
                error.message = (  # type: ignore[attr-defined]
                    f"No such option: {error.option_name}. A setting of the spec is typed without "
                    f"dashes: {path or 'fit.epochs'}=VALUE"
                    + ("" if path else "; kzoo show lists them")
                )
            raise


def _setting_called(option: str) -> str:
    """Return the path of the setting that an option is called like; empty where none is."""
    from kzoo.spec.problems import settings_called
    from kzoo.spec.spec import Spec

    name = option.lstrip("-").replace("-", "_")
    if name in Spec.model_fields:
        return name
    found = settings_called(name, Spec, {})
    return found[0] if len(found) == 1 else ""
