"""The formal proof is whole where Coq can check it, and its absence stops nothing."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from cdplib.storage import paths

MISSING = shutil.which("coqc") is None
THEOREMS = "eq4 eq11 eq14 eq13 mixture_within convex non_increasing"


@pytest.fixture
def check(tmp_path):
    """Check a copy of the proof in which ``old`` is replaced by ``new``."""

    def checked(old="", new="", **more):
        (tmp_path / ".ci").mkdir()
        (tmp_path / "proofs").mkdir()
        shutil.copy(paths.ROOT / ".ci" / "proofs", tmp_path / ".ci" / "proofs")
        text = (paths.ROOT / "proofs" / "theorem1.v").read_text(encoding="utf-8")
        assert old in text
        (tmp_path / "proofs" / "theorem1.v").write_text(text.replace(old, new, 1), encoding="utf-8")
        command = ["/bin/sh", str(tmp_path / ".ci" / "proofs")]
        return subprocess.run(command, capture_output=True, text=True, **more)

    return checked


def test_without_coq_one_line_says_that_it_was_skipped(check, tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "dirname").symlink_to(shutil.which("dirname"))
    done = check(env={"PATH": str(tools)})
    assert done.returncode == 0
    assert done.stdout.startswith("proofs: skipped, there is no coqc here")
    assert done.stdout.count("\n") == 1


@pytest.mark.slow
@pytest.mark.skipif(MISSING, reason="no coqc")
def test_every_theorem_is_proved_without_axioms(check):
    done = check()
    assert done.returncode == 0, done.stderr
    if "no mathcomp" in done.stdout:
        pytest.skip("Coq has no mathcomp")
    assert done.stdout == f"proofs/theorem1.v: checked, without axioms: {THEOREMS}\n"


@pytest.mark.slow
@pytest.mark.skipif(MISSING, reason="no coqc")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        # not true; a gap; whole, but taken as an axiom; a theorem that nobody asked about
        ("Theorem eq11 : error (mix t q r) =", "Theorem eq11 : error (mix t q r) + 1 ="),
        ("by rewrite eq14; exact: le_mix.\n", "admit.\n"),
        ("_; exact: le_mix.\nQed.", "_; exact: le_mix.\nAdmitted."),
        ("Print Assumptions convex.\n", ""),
    ],
)
def test_a_gap_is_found(check, old, new):
    done = check(old, new)
    if "no mathcomp" in done.stdout:
        pytest.skip("Coq has no mathcomp")
    assert done.returncode == 1
    assert done.stderr
