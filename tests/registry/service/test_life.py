"""A connector's life in each kind of store: uploads, a break refused and then told, a candidate, a yank."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from python.registry.service.layout import At
from python.registry.service.promoting import promote
from python.registry.service.uploading import Outcome
from python.registry.service.writing import ImmutableError
from python.registry.service.yanking import Yank, yank
from python.registry.store import Store
from tests.registry.service.folders import NOW, REPOSITORY, breaking, candidate, clock, connector, uploaded

NARROWED = {"connectionSpecification": {"type": "object", "properties": {"key": {"type": "integer"}}}}


def latest(store: Store) -> str:
    data = store.get(f"metadata/{REPOSITORY}/latest/metadata.yaml").data
    return str(yaml.safe_load(data)["data"]["dockerImageTag"])


def test_a_connectors_life(store: Store, tmp_path: Path) -> None:
    told = []
    for version, text, files in (
        ("1.4.0", breaking("1.0.0"), {}),
        ("1.5.0", breaking("1.0.0"), {"spec": NARROWED}),
        ("2.0.0", breaking("2.0.0"), {"spec": NARROWED}),
    ):
        told.append(uploaded(store, connector(tmp_path / version, version, text, **files)).outcome)
    assert told == [Outcome.UPLOADED, Outcome.BREAKING, Outcome.UPLOADED]
    assert uploaded(store, tmp_path / "2.0.0").outcome is Outcome.THERE
    (tmp_path / "2.0.0" / "icon.svg").write_text("<svg/>")
    with pytest.raises(ImmutableError):
        uploaded(store, tmp_path / "2.0.0")

    (candidate(tmp_path / "rc", "2.1.0-rc.1") / "spec.json").write_text((tmp_path / "2.0.0" / "spec.json").read_text())
    assert uploaded(store, tmp_path / "rc").outcome is Outcome.UPLOADED
    assert latest(store) == "2.0.0"
    promote(store, At(REPOSITORY, "2.1.0-rc.1"), clock)
    assert latest(store) == "2.1.0"
    yank(store, At(REPOSITORY, "2.1.0"), Yank(reason="x", by="ada", at=NOW))
    assert latest(store) == "2.0.0"
