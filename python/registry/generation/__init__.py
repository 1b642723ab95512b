"""From versions in a bucket to registries: a listing becomes a plan, a plan a snapshot, and a pointer names it."""
