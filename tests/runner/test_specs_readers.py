import datetime as dt
import textwrap
from pathlib import Path

import pytest

from python.runner.catalog import Catalog
from python.runner.catalog_readers import Fields
from python.runner.loading import load_catalog
from python.runner.problems import CatalogError

DERIVATION = """\
    collections:
      a/b:
        key: [/id]
        schema: {type: object, properties: {id: {type: integer}}, required: [id]}
        derive:
          using: {local: {command: [x], config: {}}}
          transforms:
            - name: one
              source: {name: a/c, partitions: {include: {region: [eu]}}, notBefore: "2024-01-31T00:00:00Z"}
              shuffle: {key: [/id]}
              lambda: code.py
              priority: 2
              readDelay: 1m
              backfill: 3
            - {name: two, source: a/c, shuffle: any, lambda: select 1}
    """
MATERIALIZATION = """\
    materializations:
      a/m:
        endpoint: {local: {command: [x], config: {}}}
        onIncompatibleSchemaChange: abort
        bindings:
          - resource: {table: t}
            source: a/c
            fields: {recommended: 1, require: {id: {castToString: true}}, include: {x: {}}, exclude: [y]}
          - {resource: {table: u}, source: {name: a/d}, onIncompatibleSchemaChange: disableBinding, disable: true}
    """


def loaded(folder: Path, text: str) -> Catalog:
    path = folder / "test.flow.yaml"
    path.write_text(textwrap.dedent(text))
    return load_catalog(path)


def test_a_derivation_is_read_with_its_transforms(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("print()\n")
    task = loaded(tmp_path, DERIVATION).collections["a/b"].derive

    assert task is not None
    one, two = task.transforms
    assert (one.source.collection, one.source.include, one.shuffle) == ("a/c", {"region": ("eu",)}, ("/id",))
    assert one.source.not_before == dt.datetime(2024, 1, 31, tzinfo=dt.timezone.utc)
    assert (one.lambda_, one.priority, one.read_delay_seconds, one.backfill) == ("print()\n", 2, 60.0, 3)
    assert (two.source.collection, two.shuffle, two.lambda_) == ("a/c", None, "select 1")


def test_a_materialization_is_read_with_its_bindings(tmp_path: Path) -> None:
    task = loaded(tmp_path, MATERIALIZATION).materializations["a/m"]
    first, second = task.bindings

    assert first.fields == Fields(depth_max=1, require={"id": {"castToString": True}, "x": {}}, exclude=("y",))
    assert (first.on_incompatible, second.on_incompatible) == ("abort", "disableBinding")
    assert (second.fields, second.disable, second.source.collection) == (Fields(), True, "a/d")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("2024-01-31T00:00:00Z", "2024-01-31T00:00:00", "notBefore is '2024-01-31T00:00:00'; want a date and time"),
        ("[eu]", "[{prefix: e}]", "selects partitions of a/c by a region that is no text"),
    ],
)
def test_what_cannot_be_honoured_is_told_with_its_place(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    with pytest.raises(CatalogError, match=sentence):
        loaded(tmp_path, DERIVATION.replace(old, new))
