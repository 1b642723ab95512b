from __future__ import annotations

import importlib.util

collect_ignore_glob = (
    [] if importlib.util.find_spec("pyarrow") and importlib.util.find_spec("fsspec") else ["test_*.py"]
)
