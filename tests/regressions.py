"""The bugs that shims had before ours (reference on shims, section 10), each with tests that show that it is gone.

A row is what must hold, and where that is tested: `file::test`. Rows of both shims stand here, so that none is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tests.conversing import ROOT

_AIRBYTE = "tests/shim_airbyte_cdk/"
_SINGER = "tests/shim_singer_sdk/"
_COMMON = "tests/shim_common/"


class Row(NamedTuple):
    what: str
    tests: tuple[str, ...]


def _row(what: str, *tests: str) -> Row:
    return Row(what, tests)


REGRESSIONS: Mapping[int, Row] = {
    1: _row(
        "a source that blocks does not delay stop, logs or acknowledgements",
        _AIRBYTE + "test_shim.py::test_a_source_that_blocks_delays_neither_logs_nor_acknowledgements_nor_a_stop",
    ),
    2: _row(
        "a state of one stream patches that binding alone",
        _AIRBYTE + "test_reading.py::test_a_state_of_one_stream_patches_that_binding_alone",
    ),
    3: _row(
        "the same full refresh again changes nothing, a shorter one deletes",
        _AIRBYTE + "test_reading.py::test_the_same_refresh_again_gives_the_same_documents",
        _AIRBYTE + "test_reading.py::test_a_shorter_refresh_deletes_the_rows_that_are_gone",
    ),
    4: _row(
        "global and legacy states survive a restart",
        _AIRBYTE + "test_states.py::test_a_global_state_survives_a_restart",
        _AIRBYTE + "test_states.py::test_a_legacy_state_survives_a_restart",
    ),
    5: _row(
        "states make the round trip with models of every generation",
        _AIRBYTE + "versions/test_versions.py::test_a_state_makes_the_round_trip",
        _AIRBYTE + "generations/test_pydantic_1.py::test_undeclared_members_are_given_with_their_underscores_and_nulls",
        _AIRBYTE + "generations/test_dataclass_models.py::test_a_blob_gives_all_that_it_holds",
    ),
    6: _row(
        "what the protocol does not know does not end the capture, and CONTROL is a config update",
        _AIRBYTE + "test_reading.py::test_unknown_traces_and_messages_do_not_end_the_capture",
        _AIRBYTE + "test_reports.py::test_a_changed_config_is_published",
        _AIRBYTE + "test_sealing.py::test_a_config_is_sealed_by_the_service_and_told_as_an_event",
    ),
    7: _row(
        "one stream without a key does not fail the discovery of the others",
        _AIRBYTE + "test_discovery.py::test_an_incremental_stream_without_a_key_is_warned_of",
        _AIRBYTE + "test_discovery.py::test_one_bad_stream_does_not_break_the_others",
    ),
    8: _row(
        "validate and open make no discovery, and a changed catalog does not fail open",
        _AIRBYTE + "test_shim.py::test_validate_and_open_ask_for_no_catalog",
        _AIRBYTE + "test_shim.py::test_a_catalog_that_changed_since_does_not_fail_open",
    ),
    9: _row(
        "no namespace, an empty one and null are the same",
        _AIRBYTE + "test_reading.py::test_no_namespace_and_an_empty_one_are_the_same",
    ),
    10: _row(
        "a primary key comes in three shapes, with slashes and tildes",
        _AIRBYTE + "test_discovery.py::test_a_primary_key_comes_in_three_shapes",
    ),
    11: _row(
        "a default cursor is not wrapped twice", _AIRBYTE + "test_discovery.py::test_a_cursor_is_not_wrapped_twice"
    ),
    12: _row(
        "a new task writes bindingStateV1",
        _AIRBYTE + "test_regressions.py::test_a_new_task_writes_the_states_of_its_bindings",
    ),
    13: _row(
        "what a source prints never reaches the protocol",
        _AIRBYTE + "test_shim.py::test_nothing_that_a_source_prints_reaches_the_protocol_and_logs_stay_flow_s",
        _AIRBYTE + "versions/test_versions.py::test_nothing_that_is_printed_reaches_the_protocol",
    ),
    14: _row(
        "the process ends after the sweep",
        _AIRBYTE + "test_shim.py::test_the_process_ends_after_one_sync_though_stdin_stays_open",
    ),
    15: _row(
        "a log with a stack trace and percent signs is whole",
        _AIRBYTE + "test_reports.py::test_a_log_with_percent_signs_and_a_trace_is_passed_on_whole",
    ),
    16: _row(
        "each form of airbyte-to-flow's state is migrated, once",
        _AIRBYTE + "test_migration.py::test_each_form_is_taken_over_and_never_twice",
    ),
    17: _row(
        "unordered records never advance the cursor past unread data",
        _AIRBYTE + "test_reading.py::test_the_shim_s_own_checkpoint_never_moves_a_cursor",
        _AIRBYTE + "test_regressions.py::test_unordered_records_advance_no_cursor_past_what_was_not_read",
    ),
    18: _row(
        "a stream without states gets a checkpoint each sweep",
        _AIRBYTE + "test_reading.py::test_a_stream_without_any_state_gets_a_checkpoint",
    ),
    19: _row(
        "NaN, infinity, decimals, and integers and exponents beyond 64 bits",
        _AIRBYTE + "test_records.py::test_values_are_kept_exactly",
        _AIRBYTE + "test_records.py::test_what_is_no_json_is_an_error_with_stream_key_and_place",
        _AIRBYTE + "test_exact.py::test_no_digit_is_lost",
    ),
    20: _row(
        "a key that is nullable or not required is repaired",
        _COMMON + "test_schemas.py::test_a_key_is_required_and_of_one_scalar_type",
    ),
    21: _row(
        "a resource config that airbyte-to-flow saved validates",
        _AIRBYTE + "test_shim.py::test_a_resource_config_that_airbyte_to_flow_saved_validates",
    ),
    22: _row(
        "a Singer stream has another name than its id; a record may be of a parent that is not bound",
        _SINGER + "test_reading.py::test_the_stream_of_a_record_is_an_id_or_a_name",
        _SINGER + "test_reading.py::test_a_record_that_no_binding_captures_is_dropped_and_warned_of_once",
    ),
    23: _row(
        "the row count of a full table survives, and the tap never sees it",
        _SINGER + "test_states.py::test_the_row_count_of_a_full_table_survives_and_the_tap_never_sees_it",
    ),
    24: _row(
        "state outside of bookmarks survives",
        _SINGER + "test_states.py::test_state_outside_of_bookmarks_survives_under_a_key_of_its_own",
    ),
    25: _row(
        "states of each released version replay",
        _AIRBYTE + "test_regressions.py::test_the_states_of_each_version_resume",
    ),
}


def untested(numbers: range) -> Iterator[str]:
    """Yield what is wrong with the rows of `numbers`: those that are missing, or name a test that is not there."""
    for number in numbers:
        row = REGRESSIONS.get(number)
        if row is None or not row.tests:
            yield f"regression {number} has no test"
            continue
        for at in row.tests:
            file, _, test = at.partition("::")
            path = ROOT / file
            if not path.exists() or not re.search(rf"^def {test}\(", path.read_text(encoding="utf-8"), re.MULTILINE):
                yield f"regression {number}: {at} is not there"
