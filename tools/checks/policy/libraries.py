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
