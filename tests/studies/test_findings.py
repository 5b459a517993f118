"""Every finding about the paper's theory is confirmed by its own check."""

import re
from dataclasses import replace

import pytest

from cdpbook.claims import NOT, PARTLY, REPRODUCED, UNTESTABLE
from cdpbook.notebooks import inputs, sources
from cdpbook.studies import findings
from cdpbook.studies.findings import FINDINGS, SILENT, VERDICTS, Finding
from cdplib.storage import paths


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda finding: finding.statement)
def test_the_check_of_each_finding_confirms_its_verdict(finding: Finding):
    confirmed, evidence = finding.check()
    assert confirmed, evidence
    assert evidence


def test_findings_have_known_verdicts_and_labels_that_exist():
    text = "".join(path.read_text() for path in paths.BOOK.glob("*.py"))
    labels = set(re.findall(r"^:label: (\S+)", text, re.M)) | set(re.findall(r"\((\S+)\)=", text))
    for finding in FINDINGS:
        assert finding.verdict in VERDICTS
        assert finding.label in labels


def test_what_the_paper_says_is_a_claim_and_a_failed_check_decides_nothing(monkeypatch):
    first, *others = [replace(f, check=lambda: (True, "seen")) for f in FINDINGS]
    failed = replace(first, check=lambda: (False, "a rise"), remark="")
    monkeypatch.setattr(findings, "FINDINGS", [failed, *others])
    claims = findings.theory()
    assert len(claims) == sum(f.verdict != SILENT for f in FINDINGS)
    assert list(claims["number"][:2]) == ["T1", "T2"]
    assert list(claims.loc[0, ["verdict", "remark"]]) == [UNTESTABLE, "a rise"]
    assert set(claims["verdict"][1:]) == {REPRODUCED, PARTLY, NOT}


@pytest.mark.parametrize(
    "name", [n for n in sources.toc() if n[:2] in ("06", "07", "08", "09", "10")]
)
def test_a_change_in_the_solver_does_not_execute_the_experiments_again(name: str):
    files, _ = inputs.closure(inputs.code_of(sources.find(name).notebook()))
    assert not [path for path in files if path.is_relative_to(inputs.SOURCE / "cdplib/theory")]
