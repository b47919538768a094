"""Import the libraries that terraform-compliance needs, for all processes that fork from this one: see compliance.py.

Leave out terraform-compliance itself. Its import makes a folder for its cache, and two runs must not share a cache.
"""

import importlib
import signal
import warnings

signal.signal(signal.SIGINT, signal.SIG_IGN)  # after Ctrl-C, only the process that waits for a run prints something
warnings.simplefilter("ignore", SyntaxWarning)  # of docopt

for _name in ("diskcache", "emoji", "filetype", "git", "humanize", "IPython", "orjson", "radish.main", "semver"):
    importlib.import_module(_name)

# docopt compares the texts of options hundreds of thousands of times. This would take more than half of a run's time.
importlib.import_module("docopt").Pattern.__eq__ = lambda one, other: (
    type(one) is type(other) and vars(one) == vars(other)
)
