from __future__ import annotations

from decimal import Decimal

import yaml

from python.builder.export.acceptance import EXPECTED, files
from tests.builder.export.made import MANIFEST, facts, order, with_stream

TEXT = with_stream("lines", with_stream("items"))


def test_without_a_recorded_read_nobody_knows_what_to_expect() -> None:
    found = files(order(), facts(), None)
    (read,) = yaml.safe_load(found["acceptance-test-config.yml"])["acceptance_tests"]["basic_read"]["tests"]

    assert list(read["expect_records"]) == ["bypass_reason"]
    assert EXPECTED not in found


def test_what_was_read_is_expected_digit_for_digit_and_what_is_empty_is_said_with_the_reason() -> None:
    records = {"orders": [{"id": 1, "total": Decimal("1.50")}], "items": []}
    found = files(order(TEXT), facts(TEXT), records)
    (read,) = yaml.safe_load(found["acceptance-test-config.yml"])["acceptance_tests"]["basic_read"]["tests"]

    assert found[EXPECTED] == '{"stream":"orders","data":{"id":1,"total":1.50},"emitted_at":0}\n'
    assert read["expect_records"] == {"path": EXPECTED}
    assert read["empty_streams"] == [
        {"name": "items", "bypass_reason": "The recorded read found nothing in it."},
        {"name": "lines", "bypass_reason": "The recorded read has not all of it."},
    ]


def test_a_config_that_fails_has_what_the_specification_asks_for() -> None:
    found = files(order(), facts(MANIFEST), None)

    assert found["integration_tests/invalid_config.json"] == '{\n  "shop": "FILL_IN",\n  "token": "FILL_IN"\n}\n'
