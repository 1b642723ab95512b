"""What every store promises, asked of each: a folder, memory, and emulators of the clouds."""

from __future__ import annotations

import concurrent.futures
import datetime as dt
import hashlib

import pytest

from python.registry.store import ABSENT, ConflictError, NotFoundError, PathError, Store, Unchanged
from python.registry.store.gcs import GcsStore


def swaps(store: Store) -> None:
    """Go on only where the store behind the interface heeds conditions."""
    if isinstance(store, GcsStore):
        pytest.skip("Google's emulator ignores preconditions; test_gcs.py holds what is sent")


def test_what_was_put_is_got(store: Store) -> None:
    put = store.put("metadata/a/1.0.0/icon.svg", b"<svg/>")

    got = store.get("metadata/a/1.0.0/icon.svg")

    assert got.data == b"<svg/>"
    assert (got.version.path, got.version.size) == ("metadata/a/1.0.0/icon.svg", 6)
    assert got.version.sha256 == hashlib.sha256(b"<svg/>").hexdigest()
    assert got.version.generation == put.generation


def test_an_object_of_no_bytes_is_one(store: Store) -> None:
    store.put("empty", b"")

    assert store.get("empty").data == b""


def test_what_is_not_there_is_not_found(store: Store) -> None:
    with pytest.raises(NotFoundError, match="metadata/none: there is no such object"):
        store.get("metadata/none")


def test_a_part_of_a_path_is_no_object(store: Store) -> None:
    store.put("a/b", b"")

    with pytest.raises(NotFoundError):
        store.get("a")
    with pytest.raises(NotFoundError):
        store.get("a/b/c")


def test_a_list_is_sorted_by_path_whatever_characters_are_in_it(store: Store) -> None:
    paths = ["a-b/x", "a/x", "a/z", "a.b", "a0", "Ä/x", "a b+c", "b"]
    for path in reversed(paths):
        store.put(path, path.encode())

    assert [each.path for each in store.list()] == sorted(paths)


def test_a_prefix_is_text_and_no_folder(store: Store) -> None:
    for path in ("m/ab/1", "m/a/1", "m/b/1", "n"):
        store.put(path, b"")

    assert [each.path for each in store.list("m/a")] == ["m/a/1", "m/ab/1"]
    assert [each.path for each in store.list("m/a/")] == ["m/a/1"]
    assert list(store.list("x")) == []


def test_a_list_of_names_has_the_objects_that_are_called_so(store: Store) -> None:
    for path in ("m/a/1", "m/a/2", "m/1", "n/1", "1"):
        store.put(path, b"")

    assert [each.path for each in store.list("m", {"1", "a"})] == ["m/1", "m/a/1"]
    assert list(store.list("", ())) == []


def test_a_list_tells_the_generation_that_get_tells(store: Store) -> None:
    store.put("a", b"1")
    store.put("a", b"22")

    (listed,) = store.list("a")

    assert (listed.generation, listed.size) == (store.get("a").version.generation, 2)
    assert abs(listed.updated - dt.datetime.now(dt.timezone.utc)) < dt.timedelta(hours=1)


def test_a_list_of_more_objects_than_a_page_is_whole(store: Store) -> None:
    count = 50 if isinstance(store, GcsStore) else 1_050  # Google's emulator is slow, and gives one page alone
    paths = [f"many/{number:04}" for number in range(count)]
    with store.batch(), concurrent.futures.ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda path: store.put(path, b""), paths))

    assert [each.path for each in store.list("many/")] == paths


def test_other_bytes_are_another_generation(store: Store) -> None:
    generations = {store.put("a", data).generation for data in (b"1", b"2", b"3")}

    assert len(generations) == 3


def test_what_is_deleted_is_gone_and_may_be_deleted_again(store: Store) -> None:
    store.put("a/b", b"")

    store.delete("a/b")
    store.delete("a/b")

    assert list(store.list()) == []
    store.put("a", b"no folder is left where one was")


def test_put_if_absent_refuses_what_is_there_and_changes_nothing(store: Store) -> None:
    swaps(store)
    store.put("a", b"first", when=ABSENT)

    with pytest.raises(ConflictError, match="a: somebody else wrote it"):
        store.put("a", b"second", when=ABSENT)

    assert store.get("a").data == b"first"


def test_put_if_unchanged_is_refused_to_the_second_of_two_writers(store: Store) -> None:
    swaps(store)
    seen = Unchanged(store.put("a", b"first").generation)
    store.put("a", b"second", when=seen)

    with pytest.raises(ConflictError):
        store.put("a", b"third", when=seen)

    assert store.get("a").data == b"second"


def test_put_if_unchanged_is_refused_where_nothing_is(store: Store) -> None:
    swaps(store)
    seen = Unchanged(store.put("a", b"first").generation)
    store.delete("a")

    with pytest.raises(ConflictError):
        store.put("a", b"second", when=seen)

    assert list(store.list()) == []


def test_delete_if_unchanged_leaves_what_has_changed(store: Store) -> None:
    swaps(store)
    seen = Unchanged(store.put("a", b"first").generation)
    now = Unchanged(store.put("a", b"second").generation)

    with pytest.raises(ConflictError):
        store.delete("a", when=seen)
    assert store.get("a").data == b"second"
    store.delete("a", when=now)

    with pytest.raises(ConflictError):
        store.delete("a", when=now)


def test_of_many_writers_at_once_one_makes_an_object(store: Store) -> None:
    swaps(store)

    def put(number: int) -> bool:
        try:
            store.put("a", str(number).encode(), when=ABSENT)
        except ConflictError:
            return False
        return True

    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        won = [number for number, did in enumerate(threads.map(put, range(16))) if did]

    assert [str(number).encode() for number in won] == [store.get("a").data]


@pytest.mark.parametrize("path", ["", "/a", "a/", "a//b", "../a", "a/./b", "a/..", "a\\b", "a\nb", "a\0", "a" * 1025])
def test_a_path_that_leads_elsewhere_is_refused(store: Store, path: str) -> None:
    for call in (store.get, store.delete, lambda path: store.put(path, b"")):
        with pytest.raises(PathError, match="is no path in a store"):
            call(path)


def test_an_object_that_was_read_can_be_written_elsewhere(store: Store) -> None:
    store.put("a", b"x")

    written = store.put("b", store.get("a"))

    assert (written.path, written.sha256) == ("b", hashlib.sha256(b"x").hexdigest())
    assert store.get("b").data == b"x"
