from hypothesis import settings

# The same examples in every run, at the same pace on any machine: a test that fails today failed yesterday, too.
settings.register_profile("headwater", derandomize=True, deadline=None, database=None)
settings.load_profile("headwater")
