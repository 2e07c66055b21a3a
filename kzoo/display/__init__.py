"""What a person sees of a training, or of a search of many, drawn with rich.

The display of one training is a Keras callback, `kzoo.display.progress.RichProgress`: what is
named here imports no Keras.
"""

import lazy_loader

# Each name is imported when it is first used: commands that only look draw a table, and no more.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
