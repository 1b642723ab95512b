"""What differs between the generations of airbyte-cdk, told apart by what they can, not by their versions.

`dataclass_models` (CDK 5 and later), `pydantic_2` (2 to 4) and `pydantic_1` (0.52 to 1) read models, each with the same
two functions: `makes` says whether a class is a model of its kind, `members` gives a model's members by the names of
the Airbyte protocol. Of declared members those that are None are left out; of others, such as a state's, none are.
`values` chooses among them. `stopping` reads on where a CDK stops at its first failing stream, and `printing` hears
what a CDK prints.
"""
