"""From a spec to a search: an algorithm proposes, an executor runs the trials.

Import from its modules: workers import `executors` before they may import Keras.
"""
