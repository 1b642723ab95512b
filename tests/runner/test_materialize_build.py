from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from python.protocol.errors import RemoteProtocolError
from python.protocol.flow import CollectionSpec, MaterializationSpec, Projection, SerPolicy
from python.protocol.materialize import Constraint, Validate, Validated, ValidatedBinding
from python.runner.catalog import LocalEndpoint
from python.runner.catalog_readers import Fields, MaterializationTask, Source, StoredBinding
from python.runner.materialize_build import Before, Building, Built
from python.runner.problems import CatalogError, Where

HERE = Where(Path("test.flow.yaml"), 7)
TYPES = {False: "LOCATION_RECOMMENDED", True: "INCOMPATIBLE"}
SOURCE = CollectionSpec(
    name="a/c",
    key=("/id",),
    projections=(
        Projection(field="id", ptr="/id", is_primary_key=True),
        Projection(field="x", ptr="/x"),
        Projection(field="flow_document", ptr=""),
    ),
)


def task(*bindings: StoredBinding) -> MaterializationTask:
    endpoint = LocalEndpoint(command=("x",), config={}, config_where=HERE, where=HERE)
    return MaterializationTask(name="a/m", endpoint=endpoint, bindings=bindings, where=HERE)


def binding(table: str = "t", **members: Any) -> StoredBinding:
    return StoredBinding(resource={"table": table}, source=Source(collection="a/c", where=HERE), where=HERE, **members)


def answering(
    counters: list[tuple[int, ...]],
    misfit: Callable[[int], bool] = lambda _backfill: False,
    paths: Iterable[str] = "tuv",
) -> Callable[[Validate], Validated]:
    """A connector for whose bindings, filled so often anew, `misfit` says whether the field x is incompatible."""

    def answer(asked: Validate) -> Validated:
        counters.append(tuple(each.backfill for each in asked.bindings))
        return Validated(
            bindings=tuple(
                ValidatedBinding(
                    resource_path=(path,) if path != "-" else (),
                    constraints={
                        "id": Constraint(type="LOCATION_REQUIRED"),
                        "flow_document": Constraint(type="LOCATION_REQUIRED"),
                        "x": Constraint(
                            type="INCOMPATIBLE" if misfit(each.backfill) else "LOCATION_RECOMMENDED",
                            reason="it is text",
                        ),
                    },
                    ser_policy=SerPolicy(str_truncate_after=9) if path == "v" else None,
                )
                for each, path in zip(asked.bindings, paths, strict=False)
            )
        )

    return answer


def built(asked: MaterializationTask, ask: Any, last: MaterializationSpec | None = None, **before: Any) -> Built:
    return Building(asked, {"a/c": SOURCE}, Before(spec=last, **before)).build(ask)


def test_bindings_are_built_of_the_spec_and_the_answers() -> None:
    counters: list[tuple[int, ...]] = []
    found = built(task(binding(priority=3), binding("u", disable=True), binding("u", backfill=2)), answering(counters))
    first, second = found.spec.bindings

    assert (first.resource_path, first.priority, first.state_key) == (("t",), 3, "t")
    assert (first.field_selection.keys, first.field_selection.values) == (("id",), ("x",))
    assert (second.resource_path, second.backfill, second.state_key) == (("u",), 2, "u.v2")
    assert second.journal_read_suffix == "materialize/a/m/u.v2"
    assert counters == [(0, 0), (0, 2)]


def test_what_does_not_fit_is_filled_anew_and_that_is_remembered() -> None:
    counters: list[tuple[int, ...]] = []
    last = built(task(binding()), answering(counters)).spec
    found = built(task(binding()), answering(counters, lambda backfill: backfill == 0), last)

    assert (found.spec.bindings[0].backfill, found.backfills) == (1, {"t": 1})
    assert (
        "a/c does not fit t: the resource has the field 'x', which does not fit any more: it is text" in found.notes[0]
    )
    again = built(
        task(binding()), answering(counters, lambda backfill: backfill == 0), found.spec, backfills=found.backfills
    )
    assert again.spec.bindings[0].backfill == 1
    assert again.notes == []


def test_a_lowered_counter_is_refused_whatever_was_filled_anew_since() -> None:
    first = built(task(binding(backfill=2), binding("u", backfill=1)), answering([]))
    assert first.counters == {"t": 2, "u": 1}

    with pytest.raises(CatalogError) as caught:
        built(
            task(binding(backfill=1), binding("u", backfill=1)),
            answering([], lambda backfill: backfill == 1),
            first.spec,
            counters=first.counters,
            backfills={"t": 5},
        )
    assert "test.flow.yaml:7: the binding of a/c to t has the `backfill` counter 1, and had 2 before" in str(
        caught.value
    )
    assert "set it to 2 to go on, or to 3 to begin anew" in str(caught.value)
    assert len(caught.value.problems) == 1


def test_what_does_not_fit_may_leave_its_binding_out_or_end_the_task() -> None:
    last = built(task(binding(), binding("u")), answering([])).spec

    def again(policy: str, other: str = "backfill") -> Built:
        asked = task(binding(on_incompatible=policy), binding("u", on_incompatible=other))
        return built(asked, answering([], lambda _backfill: True), last)

    abort = (
        r"test.flow.yaml:7: .*`onIncompatibleSchemaChange` is abort: .* or raise the binding's `backfill` counter to 1"
    )
    with pytest.raises(CatalogError, match=abort) as caught:
        again("abort", "disableTask")
    assert len(caught.value.problems) == 2
    with pytest.raises(
        CatalogError, match=r"test.flow.yaml:7: a/c does not fit t: .*; it would not fit a new resource"
    ):
        again("disableBinding")
    one = built(task(binding()), answering([])).spec
    only = built(task(binding(on_incompatible="disableBinding")), answering([], lambda _backfill: True), one)
    assert only.spec.bindings == ()
    assert [gone.resource_path for gone in only.spec.inactive_bindings] == [("t",)]


def test_fields_that_cannot_be_are_told_with_their_binding() -> None:
    with pytest.raises(CatalogError, match=r"test.flow.yaml:7: a/c: `fields.require` names the field 'y'"):
        built(task(binding(fields=Fields(require={"y": {}}))), answering([]))


@pytest.mark.parametrize(("paths", "sentence"), [("tt", "is stored to t, as another is"), ("-t", "to no resource")])
def test_resource_paths_tell_bindings_apart(paths: str, sentence: str) -> None:
    with pytest.raises(RemoteProtocolError, match=sentence):
        built(task(binding(), binding("u")), answering([], paths=paths))


def test_a_policy_of_cutting_documents_is_part_of_its_binding() -> None:
    found = built(task(binding(), binding("u"), binding("v")), answering([]))

    assert [each.ser_policy for each in found.spec.bindings] == [None, None, SerPolicy(str_truncate_after=9)]
    assert found.notes == []
