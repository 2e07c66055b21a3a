"""A run to its figures; a spec to its layers and its time, and to a verdict; runs side by side."""

import lazy_loader

# The public names stand in the stub beside this file: comparing runs needs no Keras.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
