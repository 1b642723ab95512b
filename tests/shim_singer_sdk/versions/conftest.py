# The sample tap and what runs it belong into the environments: the SDK is not installed here.
collect_ignore = ["tap_sample", "run_sample.py"]
