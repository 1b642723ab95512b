from __future__ import annotations

import importlib.util

# materialize-parquet has an environment of its own; where it is not in this one, the end-to-end tests are what is left.
collect_ignore_glob = [] if importlib.util.find_spec("materialize_parquet") else ["test_*.py"]
