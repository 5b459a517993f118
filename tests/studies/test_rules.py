"""The file of rules is read whole or refused in one line that says what is wrong with it."""

from __future__ import annotations

import copy

import pytest
import yaml

from cdpbook.studies import rules, verdicts
from cdplib import parameters
from cdplib.errors import InputError
from cdplib.storage import paths

CONTENT = yaml.safe_load((paths.PARAMS / rules.FILE).read_bytes())


def test_the_file_of_the_checkout_is_valid_and_every_test_is_known():
    found = rules.load()
    assert found.perceptions == ("p_judge", "p_critic")
    assert [one.number for one in found.statements][:3] == ["E1", "E1b", "E2"]
    assert {one.test for one in found.statements} <= set(rules.TESTS) == set(verdicts._TESTS)
    assert rules.FILE.removesuffix(".yml") not in parameters.presets()


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("perceptions",), ["p_judge"], "two of p_judge"),
        (("perceptions",), ["p_judge", "looks"], "two of p_judge"),
        (("failed", "distortion_ratio"), 1, "distortion_ratio 1: expected a number above 1"),
        (("failed", "distortion_ratio"), True, "True: expected a number above 1"),
        (("statements",), {}, "expected a list of statements"),
        (("statements", 0, "test"), "both_cost", "'both_cost'"),
        (("statements", 0, "with"), {"weight": "beta"}, "'weight'"),
        (("statements", 1, "with", "column"), "psnr", "column 'psnr': expected one of P, mse"),
        (("statements", 6, "with", "gamma"), "0", "gamma '0': expected a number"),
        (("statements", 6, "with"), {"weight": "beta"}, "column is missing"),
        (("statements", 0, "number"), "E2", "E2 is there twice"),
        (("statements", 0, "text"), 3, "text 3: expected text"),
        (("statements", 0, "figur"), "rows", "'figur'"),
        (("statements", 0, "all_trainings"), "no", "expected true or false"),
        (("retired", 0, "now"), ["E99"], "'E99'"),
        (("retired", 0, "now"), "E4a", "expected a list of numbers"),
    ],
)
def test_wrong_content_is_refused_in_one_line(tmp_path, path, value, said):
    content = copy.deepcopy(CONTENT)
    at = content
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = value
    file = tmp_path / "verdicts.yml"
    file.write_text(yaml.safe_dump(content))
    with pytest.raises(InputError) as error:
        rules.load(file)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_or_unreadable_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        rules.load(tmp_path / "none.yml")
    (tmp_path / "bad.yml").write_text("a: [")
    with pytest.raises(InputError, match="not YAML"):
        rules.load(tmp_path / "bad.yml")


def test_the_commit_is_of_the_file_and_nothing_where_there_is_no_history(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    assert rules.commit() == ""
