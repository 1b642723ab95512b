from __future__ import annotations

from pathlib import Path

import pytest

from python.registry.store import StoreError, open_store
from python.registry.store.folder import FolderStore
from python.registry.store.gcs import GcsStore
from python.registry.store.memory import MemoryStore
from python.registry.store.s3 import S3Store

EMULATED = {"STORAGE_EMULATOR_HOST": "127.0.0.1:1"}


def test_each_address_opens_its_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")

    assert isinstance(open_store("memory:", {}), MemoryStore)
    assert isinstance(open_store(str(tmp_path), {}), FolderStore)
    assert isinstance(open_store("gs://bucket/a/", EMULATED), GcsStore)
    assert isinstance(open_store("s3://bucket/a/b", {}), S3Store)


def test_the_address_of_a_store_opens_it_again(tmp_path: Path) -> None:
    assert open_store("gs://bucket/a/", EMULATED).address == "gs://bucket/a"
    assert open_store(str(tmp_path), {}).address == str(tmp_path)


def test_a_word_is_a_bucket_of_googles_where_there_are_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()

    assert open_store("bucket", EMULATED).address == "gs://bucket"
    assert open_store("bucket", {}).address == str(tmp_path / "bucket")
    assert open_store("here", EMULATED).address == str(tmp_path / "here")
    assert open_store("./bucket", EMULATED).address == str(tmp_path / "bucket")


@pytest.mark.parametrize("address", ["http://bucket", "gs://", "s3:///a", "azure://x"])
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(StoreError, match="want"):
        open_store(address, {})


@pytest.mark.parametrize(
    ("path", "name"), [("/home/somebody/bucket", "bucket"), ("/", "folder"), ("bucket/", "bucket")]
)
def test_readers_of_a_registry_do_not_learn_where_a_folder_is(path: str, name: str) -> None:
    assert open_store(path, {}).bucket == name


def test_readers_of_a_registry_learn_the_name_of_a_bucket() -> None:
    assert open_store("gs://bucket/prefix", {"STORAGE_EMULATOR_HOST": "http://127.0.0.1:1"}).bucket == "bucket"


@pytest.mark.parametrize("address", ["", " "])
def test_an_empty_address_is_no_folder(address: str) -> None:
    with pytest.raises(StoreError, match="is empty"):
        open_store(address, {})
