"""What a person sees of a training, or of a search of many, drawn with rich.

The display of one training is a Keras callback, `kzoo.display.progress.RichProgress`: what is
named here imports no Keras.
"""

from kzoo.display.download import downloading
from kzoo.display.forms import Mode
from kzoo.display.header import Header
from kzoo.display.search import SearchProgress

__all__ = ["Header", "Mode", "SearchProgress", "downloading"]
