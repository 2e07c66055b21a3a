"""A name, a path or arrays to a checked Dataset with class names and scaling."""

import lazy_loader

# The names stand in the stub beside this file. Each is imported when it is first used, so that
# what only looks something up in the catalogue waits for no NumPy.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
