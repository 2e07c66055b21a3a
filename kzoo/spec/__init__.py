"""JSON to a frozen, typed Spec and back: parsing, inheritance, overrides, schema."""

import lazy_loader

# The names stand in the stub beside this file. Each is imported when it is first used, so that
# what only parses JSON waits for no builder.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
