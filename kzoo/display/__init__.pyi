from .data_progress import watching as watching
from .forms import Mode as Mode
from .forms import show_result as show_result
from .header import Header as Header
from .search_progress import SearchProgress as SearchProgress
