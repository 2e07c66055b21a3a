"""Run directories: written atomically, found by name, loaded as a trained model."""

import lazy_loader

# The names stand in the stub beside this file. Each is imported when it is first used, so that
# what only reads a model's file waits for no spec and no dataset.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
