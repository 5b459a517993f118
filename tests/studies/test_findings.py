"""Every finding about the paper's theory is confirmed by its own check."""

import re

import pytest

from cdpbook.studies.findings import FINDINGS, VERDICTS, Finding
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
