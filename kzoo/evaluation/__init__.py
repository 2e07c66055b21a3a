"""A run to its figures; a spec to its layers and its time, and to a verdict on its figures."""

import lazy_loader

# The names stand in the stub beside this file. Each is imported when it is first used, so that
# what only reads a run's figures waits for no Keras.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
