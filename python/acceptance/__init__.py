"""The promises that every connector keeps, as suites that anybody's tests can run.

`target_suite` is that of materializations.
"""
