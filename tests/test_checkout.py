"""The commit that pages and rows name is this checkout's, or none."""

import subprocess

import pytest

from cdpbook.notebooks import provenance
from cdplib import __version__, checkout
from cdplib.storage import paths
from cdplib.sweeps import configuration


@pytest.fixture
def repository(tmp_path):
    """A repository of somebody else's, with one commit."""
    other = tmp_path / "other"
    other.mkdir()
    own = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q"], [*own, "commit", "-q", "--allow-empty", "-m", "theirs"]):
        subprocess.run(["git", "-C", str(other), *words], check=True)
    return other


def test_a_book_unpacked_inside_another_repository_has_no_commit(repository, monkeypatch):
    (repository / "book").mkdir()
    monkeypatch.setattr(paths, "ROOT", repository / "book")
    assert checkout.git("rev-parse", "HEAD") is None
    assert provenance.commit() == "not a git checkout"
    configuration.code_version.cache_clear()
    assert configuration.code_version() == __version__
    configuration.code_version.cache_clear()
    monkeypatch.setattr(paths, "ROOT", repository)
    assert len(checkout.git("rev-parse", "HEAD")) == 40


def test_git_dir_names_no_other_commit(repository, monkeypatch):
    before = checkout.git("rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", str(repository / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(repository))
    assert checkout.git("rev-parse", "HEAD") == before
