"""kzoo: a zoo of small Keras models that run from a JSON file."""

import lazy_loader

__version__ = "0.1.0"

# The public names stand in the stub beside this file; each is imported when it is first used, and
# Keras with the first one that needs it.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
