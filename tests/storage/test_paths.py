"""The cache: what CDP_CACHE means, and what is said where there is no home folder."""

import pwd
from pathlib import Path

import pytest

from cdplib.errors import DataError
from cdplib.storage import paths


@pytest.fixture
def homeless(monkeypatch):
    """No HOME, and a user without an account."""

    def nobody(_):
        raise KeyError("no such user")

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("CDP_CACHE", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)


def test_a_relative_cache_is_meant_where_the_program_was_started(tmp_path, monkeypatch):
    monkeypatch.setenv("CDP_CACHE", "of mine/cache")
    monkeypatch.chdir(tmp_path)
    paths.settle()
    monkeypatch.chdir("/")  # as a kernel, which runs in the checkout
    assert paths.cache() == tmp_path / "of mine" / "cache"


def test_without_a_home_the_cache_is_asked_for_in_one_line(homeless, monkeypatch):
    with pytest.raises(DataError, match="set HOME, or CDP_CACHE"):
        paths.cache()
    monkeypatch.setenv("CDP_CACHE", "~/cache")
    with pytest.raises(DataError, match="CDP_CACHE='~/cache': this user has no home folder"):
        paths.settle()
    monkeypatch.setenv("CDP_CACHE", "/somewhere")
    assert paths.cache() == Path("/somewhere")


def test_without_a_home_kernels_are_given_one(homeless):
    import os

    from cdpbook.notebooks import job

    job.have_home()
    assert Path.home().is_dir()
    assert os.environ["HOME"] == str(Path.home())
