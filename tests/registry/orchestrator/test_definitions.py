from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

import python.registry.orchestrator
from python.registry.orchestrator.definitions import definitions
from python.registry.orchestrator.jobs import JOBS
from python.registry.orchestrator.sensors import SCHEDULES, SENSORS

FOLDER = Path(python.registry.orchestrator.__file__).parent


def test_the_code_location_has_what_readers_of_airbytes_know() -> None:
    found = definitions()
    keys = {key.to_user_string() for key in found.resolve_asset_graph().get_all_asset_keys()}

    assert {"generate_registry", "generate_registry_reports"} <= {job.name for job in found.jobs or ()}
    assert {"registry_entry", "persisted_oss_registry", "persisted_cloud_registry", "specs_secrets_mask_yaml"} <= keys


def test_every_asset_says_what_it_is_and_how_to_do_without() -> None:
    graph = definitions().resolve_asset_graph()

    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert "By command: `headwater registry " in " ".join((node.description or "").split()), key
        assert node.group_name != "default"
        assert node.kinds


def test_every_check_says_what_is_so_when_it_passes() -> None:
    graph = definitions().resolve_asset_graph()

    assert len(graph.asset_check_keys) == 7
    assert all(graph.get_check_spec(key).description for key in graph.asset_check_keys)


def test_nothing_needs_a_click() -> None:
    assert {each.default_status for each in SENSORS} == {dg.DefaultSensorStatus.RUNNING}
    assert {each.default_status for each in SCHEDULES} == {dg.DefaultScheduleStatus.RUNNING}


def test_a_run_that_went_down_with_its_machine_does_not_hold_up_others_for_ever(tmp_path: Path) -> None:
    shutil.copy(FOLDER / "dagster.yaml", tmp_path)

    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert instance.run_monitoring_enabled
        assert 0 < instance.run_monitoring_max_runtime_seconds <= 3600


def test_of_runs_that_write_the_same_files_one_goes_on_at_a_time(tmp_path: Path) -> None:
    shutil.copy(FOLDER / "dagster.yaml", tmp_path)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        limits = instance.get_concurrency_config().run_queue_config
        tags = [{key: value for key, value in (job.run_tags or {}).items() if "/publishes" in key} for job in JOBS]

    assert limits is not None
    assert tags == [{"headwater/publishes": "registry"}, {"headwater/publishes": "reports"}, {}]
    assert limits.tag_concurrency_limits == [
        {"key": "headwater/publishes", "value": {"applyLimitPerUniqueValue": True}, "limit": 1}
    ]


@pytest.mark.slow
def test_the_folder_is_what_dagster_validates(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("METADATA_", "SLACK_"))}
    command = [str(Path(sys.executable).with_name("dagster")), "definitions", "validate"]

    done = subprocess.run(
        command,
        cwd=FOLDER,
        env={**environment, "DAGSTER_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert "Validation successful for code location headwater" in done.stdout + done.stderr
    assert done.returncode == 0
