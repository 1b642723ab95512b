from __future__ import annotations

collect_ignore_glob = ["defects/*"]  # programs, which read what they are given as they start
