"""The store keeps whole files under our own keys, whatever it is made of."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path

import pytest

from app.gateways.storage import BucketStorage, FileMissing, LocalStorage, Storage, make_storage

KEY, OTHER = "a" * 32, "b" * 32


@pytest.fixture(params=["folder", "bucket"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "folder":
        return make_storage((tmp_path / "附件 files").as_uri())
    return make_storage(f"memory://bucket-{tmp_path.name}/prefix")


def now(**ahead: int) -> dt.datetime:
    return dt.datetime.now(dt.UTC) + dt.timedelta(**ahead)


def test_what_is_saved_is_read_back_and_deleted(storage: Storage) -> None:
    storage.save(KEY, io.BytesIO(b"x" * 3_000_000))
    with storage.open(KEY) as file:
        assert file.read() == b"x" * 3_000_000
    storage.delete(KEY)
    with pytest.raises(FileMissing):
        storage.open(KEY)
    storage.delete(KEY)


def test_files_are_listed_by_age(storage: Storage) -> None:
    assert list(storage.keys(now())) == []
    storage.save(KEY, io.BytesIO(b"1"))
    storage.save(OTHER, io.BytesIO(b"2"))

    assert sorted(storage.keys(now(minutes=1))) == [KEY, OTHER]
    assert list(storage.keys(now(minutes=-1))) == []


@pytest.mark.parametrize("key", ["../../etc/passwd", "", "A" * 32, "a" * 31, "a" * 33, "a" * 31 + "\n"])
def test_only_our_own_keys_are_taken(storage: Storage, key: str) -> None:
    for use in (storage.open, storage.delete):
        with pytest.raises(ValueError, match="not a storage key"):
            use(key)
    with pytest.raises(ValueError, match="not a storage key"):
        storage.save(key, io.BytesIO(b""))


def test_a_sender_that_fails_leaves_no_half_file(tmp_path: Path) -> None:
    class Broken(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise ConnectionError

    storage = LocalStorage(tmp_path)
    with pytest.raises(ConnectionError):
        storage.save(KEY, Broken())  # type: ignore[arg-type]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_half_files_of_killed_processes_are_cleared_away(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    storage.save(KEY, io.BytesIO(b"1"))
    half = tmp_path / "aa" / "part-1234"
    half.write_bytes(b"half")

    assert list(storage.keys(now(minutes=-1))) == []
    assert half.exists()
    assert list(storage.keys(now(minutes=1))) == [KEY]
    assert not half.exists()


@pytest.mark.parametrize(
    ("url", "kind"), [("file:///srv/files", LocalStorage), ("memory://bucket/files", BucketStorage)]
)
def test_the_setting_chooses_the_store(url: str, kind: type[object]) -> None:
    assert isinstance(make_storage(url), kind)


@pytest.mark.parametrize("url", ["", "/srv/files", "files", "carrier-pigeon://loft/1"])
def test_a_setting_that_keeps_nothing_stops_the_program(url: str) -> None:
    with pytest.raises(ValueError, match="STORAGE_URL"):
        make_storage(url)
