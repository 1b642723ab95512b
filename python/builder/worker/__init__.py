"""What runs inside of `CDK_PYTHON`: standard library and airbyte_cdk alone, Python 3.9, nothing of ours imported."""
