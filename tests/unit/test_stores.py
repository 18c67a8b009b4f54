"""Where files are kept, as the settings say it."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from renderkiln.domain.clock import SystemClock
from renderkiln.domain.errors import UsageError
from renderkiln.settings import Settings
from renderkiln.storage.errors import Missing, Refused
from renderkiln.storage.fallback import FallbackStorage
from renderkiln.storage.local import LocalStorage
from renderkiln.storage.secret import secret_in
from renderkiln.stores import Stores, buckets_of

KEYS = {"storage": "s3", "s3_access_key": "an access key", "s3_secret_key": "a secret key of the tests"}
R2 = {**KEYS, "s3_bucket": "films", "s3_endpoint": "https://account.r2.example", "s3_region": "auto"}


def settings(home: Path, **given: Any) -> Settings:
    return Settings.load(environ={}, home=home, **given)


def stores(home: Path, **given: Any) -> Stores:
    return Stores(settings(home, **given), SystemClock())


def test_without_a_setting_files_lie_in_the_home_folder(tmp_path: Path) -> None:
    rooms = stores(tmp_path).rooms()
    rooms.private.put("a/b.txt", iter([b"x"]), content_type="text/plain")
    assert (tmp_path / "storage" / "private" / "objects" / "a" / "b.txt").read_bytes() == b"x"
    assert rooms.url("public", "a/b.txt") == "http://127.0.0.1:8700/files/public/a/b.txt"
    assert (
        stores(tmp_path, public_url="https://kiln.example/r/")
        .rooms()
        .url("private", "a")
        .startswith("https://kiln.example/r/files/private/a?expires=")
    )


def test_one_bucket_has_two_folders_and_two_have_none(tmp_path: Path) -> None:
    shared = settings(tmp_path, **R2, s3_prefix="/kiln/", s3_public_url="https://pub.example")
    private, public = (buckets_of(shared, each)["s3"] for each in ("private", "public"))
    assert private.url("videos/a.mp4") == "https://account.r2.example/films/kiln/private/videos/a.mp4"
    assert (public.prefix, public.public("a")) == ("kiln/public", "https://pub.example/a")
    assert private.public_url is None
    apart = settings(tmp_path, **R2, s3_public_bucket="open")
    private, public = (buckets_of(apart, each)["s3"] for each in ("private", "public"))
    assert [(each.name, each.prefix) for each in (private, public)] == [("films", ""), ("open", "")]


def test_aws_takes_no_endpoint_and_has_the_bucket_in_its_name(tmp_path: Path) -> None:
    bucket = buckets_of(settings(tmp_path, **KEYS, s3_bucket="films", s3_region="eu-west-1"), "private")["s3"]
    assert bucket.url("a") == "https://films.s3.eu-west-1.amazonaws.com/private/a"


def test_a_fallback_is_as_the_first_but_for_what_is_said(tmp_path: Path) -> None:
    given = {**R2, "s3_session_token": "for a while", "s3_fallback_bucket": "spare"}
    spare = buckets_of(settings(tmp_path, **given), "public")["s3-fallback"]
    assert (spare.name, spare.endpoint, spare.session_token) == ("spare", R2["s3_endpoint"], "for a while")
    own = {"s3_fallback_access_key": "another", "s3_fallback_secret_key": "another secret"}
    spare = buckets_of(settings(tmp_path, **given, **own), "public")["s3-fallback"]
    assert (spare.access_key, spare.secret_key, spare.session_token) == ("another", "another secret", None)
    assert isinstance(stores(tmp_path, **given).rooms().private, FallbackStorage)


def test_older_files_are_found_where_they_are(tmp_path: Path) -> None:
    found = stores(tmp_path, **R2)
    assert isinstance(found.at("private", "local"), LocalStorage)
    assert found.at("private", "s3").location == "s3"
    with pytest.raises(Missing, match="s3-fallback"):
        found.at("private", "s3-fallback")


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"storage": "s3"}, "RENDERKILN_S3_BUCKET, RENDERKILN_S3_ACCESS_KEY, RENDERKILN_S3_SECRET_KEY"),
        ({**R2, "s3_endpoint": "account.r2.example"}, "plain URL"),
        ({**R2, "s3_prefix": "../up"}, "the settings of the bucket"),
        ({"signing_secret": "short"}, "16 characters"),
        ({"signing_secret": f"{'long' * 8},short"}, "16 characters"),
    ],
)
def test_settings_that_make_no_storage_say_what_is_wrong(
    tmp_path: Path, given: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(UsageError, match=wrong) as caught:
        stores(tmp_path, **given).rooms()
    assert "secret key of the tests" not in str(caught.value)


def test_no_secret_is_shown(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        settings(tmp_path, s3_secret_key=["a secret in a list"])
    assert "a secret" not in str(caught.value)
    shown = settings(tmp_path, **R2, signing_secret="sign" * 8).model_dump_json()
    assert not [each for each in ("a secret key", "an access key", "signsign") if each in shown]


def test_the_first_secret_signs_and_all_are_known(tmp_path: Path) -> None:
    assert stores(tmp_path, signing_secret=f" {'new!' * 8} , {'old!' * 8}").secrets == [
        b"new!" * 8,
        b"old!" * 8,
    ]


def test_a_secret_is_made_once_for_us_alone(tmp_path: Path) -> None:
    path = tmp_path / "home" / "signing-secret"
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: secret_in(path), range(40)))
    assert len(made) == 1
    assert len(*made) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["signing-secret"]
    path.write_text("cut")
    with pytest.raises(Refused, match="cut short"):
        secret_in(path)


def test_browsers_load_films_from_where_the_bucket_is(tmp_path: Path) -> None:
    assert stores(tmp_path).origins == ()
    (origin,) = stores(tmp_path, **R2).origins
    assert origin == "https://account.r2.example"
