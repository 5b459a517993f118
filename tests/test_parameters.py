"""Parameters: the cell's grammar, types, ranges, presets and assignments."""

import dataclasses
import math
import textwrap
import time

import pytest

from cdplib import parameters
from cdplib.errors import InputError
from cdplib.experiments import settings

CELL = textwrap.dedent(
    """
    gammas: list[float] = [0.0, 0.01]  # in [0, 10]; weights of the cross entropy
    n: int = 3  # in (0, 2147483647]; how many
    kind: str = "kl"  # one of tv|kl; the divergence
    again: bool = False  # train again
    seeds: list[int] = []  # in [0, 9]; empty: the preset's
    """
)


@pytest.fixture
def declared():
    return parameters.declared(CELL)


def test_cell_gives_names_types_ranges_choices_and_help(declared):
    assert list(declared) == ["gammas", "n", "kind", "again", "seeds"]
    gammas = declared["gammas"]
    assert (gammas.kind, gammas.low, gammas.high, gammas.default) == (
        "list[float]",
        0.0,
        10.0,
        [0.0, 0.01],
    )
    assert gammas.help == "weights of the cross entropy"
    assert declared["n"].low_open
    assert declared["n"].range == "(0, 2147483647]"
    assert parameters.Parameter("x", "float", 1.0, low=0.25).range == "[0.25, inf]"
    assert declared["kind"].choices == ("tv", "kl")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("n = 3", "expected `name: type"),
        ("n: int = 3", "expected `in [lo, hi]"),
        ("n: int = 3  # how many", "expected `in [lo, hi]"),
        ("n: int = 3  # in [5, 9]; how many", "3 is not in [5, 9]"),
        ("n: int = 3.5  # in [0, 9]; how many", "3.5 is not an int"),
        ("n: dict = {}  # in [0, 9]; how many", "line 1: n: 'dict' is not one of"),
        ("n: int = f()  # in [0, 9]; how many", "not a literal"),
        ("n: int = 3  # one of a|b; how many", "are not of type int"),
        ("n: int = 3  # in [a, 9]; how many", "'in [a, 9]' has no numbers as ends"),
        ("a: bool = True  # first\nb: bool = True", "line 2: b: comment ''"),
        ("n: int = (", "expected `name: type"),
        ("import os", "expected `name: type"),
    ],
)
def test_other_lines_are_refused_with_their_reason(line, said):
    with pytest.raises(InputError) as error:
        parameters.declared(line)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_parameter_without_a_rule_takes_any_number_but_none():
    free = parameters.Parameter("x", "float", 1.0)
    assert free.check(-1e300) == -1e300
    assert free.check(math.inf) == math.inf
    assert (free.range, free.bounded, free.optional) == ("[-inf, inf]", False, False)
    with pytest.raises(InputError, match="x=None: None is not a float"):
        free.check(None)
    with pytest.raises(InputError, match=r"^x: 'dict' is not one of int, float"):
        parameters.Parameter("x", "dict", {})
    with pytest.raises(dataclasses.FrozenInstanceError):
        free.low = 0.0


@pytest.mark.parametrize(
    ("ends", "shown"),
    [
        ({"low": 1e15}, "[1e+15, inf]"),
        ({"high": 0.5}, "[-inf, 0.5]"),
        ({"low_open": True}, "(-inf, inf]"),
        ({"high_open": True}, "[-inf, inf)"),
    ],
)
def test_any_end_makes_a_range(ends, shown):
    bounded = parameters.Parameter("x", "float", 2e15, **ends)
    assert bounded.bounded
    assert bounded.range == shown


def test_an_open_end_is_not_in_the_range_and_a_closed_one_is():
    half = parameters.declared("x: float = 0.5  # in (0, 1); x\ny: float = 0.5  # in [0, 1]; y")
    assert [half["y"].check(value) for value in (0, 1)] == [0.0, 1.0]
    for value in (0, 1):
        with pytest.raises(InputError, match=r"is not in \(0, 1\)"):
            half["x"].check(value)


def test_a_parameter_may_span_lines_and_its_comment_stands_at_any_of_them():
    for cell in (
        "x: list[float] = [  # in [0, 1]; shares\n    0.0,\n]",
        "x: list[float] = [\n    0.0,  # in [0, 1]; shares\n]",
        "x: list[float] = [\n    0.0,\n]  # in [0, 1]; shares",
    ):
        found = parameters.declared(f"a: bool = False  # first\n{cell}\nb: bool = True  # last")
        assert (found["x"].help, found["x"].high) == ("shares", 1.0)
        assert (found["a"].help, found["b"].help) == ("first", "last")


def test_a_name_declared_twice_is_refused():
    with pytest.raises(InputError, match="n is declared twice"):
        parameters.declared("n: bool = True  # a\nn: bool = True  # b\n")


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("gammas=[0,0.03]", [0.0, 0.03]),
        ("gammas=[1e-3, 2]", [0.001, 2.0]),  # YAML 1.1 reads 1e-3 as a string
        ("gammas=[0e5, 0e-400]", [0.0, 0.0]),  # zero, however it is written
        ("n=7", 7),
        ("kind=tv", "tv"),
        ("again=true", True),
        ("seeds=[]", []),
    ],
)
def test_an_assignment_becomes_a_value_of_its_type(declared, given, value):
    name = given.partition("=")[0]
    resolved = parameters.resolve(declared, parameters.assignments([given]))
    assert resolved[name] == value
    assert type(resolved[name]) is type(value)
    untouched = {key: p.default for key, p in declared.items() if key != name}
    assert {key: v for key, v in resolved.items() if key != name} == untouched


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("gammas=[-1]", "gammas=[-1]: -1 is not in [0, 10]"),
        ("gammas=0.1", "expected list[float], a list such as [0.0, 0.01]"),
        ("seeds=3", "expected list[int], a list such as [...]"),
        ("gammas=[-1,1,1,1,1,1,1,1,1]", "gammas=[-1, 1, 1, 1, 1, 1, 1, 1, ...]: -1 is not in"),
        ("gammas=[]", "at least one element"),
        ("gammas=[.nan]", "nan is not"),
        ("gammas=[true]", "True is not a float"),
        ("gammas=[0,", "cannot be read"),
        ("gamas=[0]", "unknown parameter 'gamas': did you mean 'gammas'?"),
        ("n=1.0", "1.0 is not an int"),
        ("n=true", "True is not an int"),
        ("n=0", "0 is not in (0, 2147483647]"),
        ("kind=w3", "'w3' is not one of tv, kl"),
        ("again=1", "1 is not a bool"),
        ("n=!!bool foo", "-p 'n=!!bool foo': cannot be read, it is not YAML ('foo')"),
        ("n=!!timestamp foo", "cannot be read"),
        ('n=!!int ""', "cannot be read"),
        ("n=" + "[" * 5000, "cannot be read"),
        ("n=10000000000", "10000000000 is not in (0, 2147483647]"),
        ("n=010", "'010' is not a decimal number"),  # YAML reads 8, 90, 16 and 10
        ("gammas=[1:30]", "'1:30' is not a decimal number"),
        ("n=0x10", "'0x10' is not a decimal number"),
        ("n=1_0", "'1_0' is not a decimal number"),
        ("gammas=[1e400]", "1e400 is too large for a float"),
        ("gammas=[1.0e+400]", "1.0e+400 is too large for a float"),
        ("gammas=[1e-400]", "1e-400 is too small for a float"),
        ("gammas=[1" + "0" * 400 + "]", "0000 is too large"),
        ("n", "expected NAME=VALUE"),
        ("=1", "expected NAME=VALUE"),
    ],
)
def test_wrong_input_is_one_line_that_quotes_it(declared, given, said):
    with pytest.raises(InputError) as error:
        parameters.resolve(declared, parameters.assignments([given]))
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_an_optional_parameter_may_be_left_to_others_and_is_checked_else():
    line = "seeds: list[int] | None = None  # in [0, 9]; none: the preset's"
    seeds = parameters.declared(line)["seeds"]
    assert (seeds.kind, seeds.default, seeds.optional) == ("list[int]", None, True)
    assert seeds.check([0, 9]) == [0, 9]
    assert parameters.resolve({"seeds": seeds}, parameters.assignments(["seeds=null"])) == {
        "seeds": None
    }
    for wrong in ([], [10], 3):
        with pytest.raises(InputError):
            seeds.check(wrong)
    with pytest.raises(InputError, match="None is not an int"):
        parameters.declared("n: int = 3  # in [0, 9]; how many")["n"].check(None)


@pytest.mark.parametrize(
    "copy", ["03_toy-Copy1.py", "03_toy copy.py", "03_toy (1).md", "03_toy.orig.py"]
)
def test_a_copy_that_an_editor_made_is_no_chapter(tmp_path, copy):
    for name in ("03_toy.py", "index.md", copy):
        (tmp_path / name).write_text("")
    assert parameters.chapters(tmp_path) == ["03_toy", "index"]


def test_the_same_name_twice_is_refused():
    with pytest.raises(InputError, match="given twice"):
        parameters.assignments(["n=1", "n=2"])


def test_long_input_is_quoted_in_short(declared):
    with pytest.raises(InputError) as error:
        parameters.resolve(declared, {"kind": "x" * 10_000})
    assert len(str(error.value)) < 300
    shown = str(error.value).partition(": ")[2].partition(" is not")[0]
    assert len(shown) == 60


def test_sections_are_called_as_chapters_without_their_number():
    assert parameters.section_of("03_toy_example") == "toy_example"
    assert parameters.section_of("A1_appendix") == "appendix"
    assert parameters.section_of("findings") == "findings"


def test_yaml_of_just_so_many_characters_is_read():
    text = "[" + "0," * ((parameters.LONGEST - 2) // 2) + "]"
    assert len(text) == parameters.LONGEST
    assert set(parameters.read_yaml(text, "here")) == {0}


def test_yaml_tags_make_no_objects():
    with pytest.raises(InputError, match="cannot be read"):
        parameters.assignments(["n=!!python/object/apply:os.getcwd []"])


@pytest.fixture
def presets(tmp_path):
    (tmp_path / "p.yml").write_text("all: {n: 1, other: 5}\nexp1: {n: 2}\n")
    return tmp_path


def test_later_sections_win_and_all_may_name_what_a_chapter_lacks(presets, declared):
    get = parameters.preset
    assert get("p", ["all"], declared, folder=presets) == {"n": 1}
    assert get("p", ["all", "exp1"], declared, folder=presets) == {"n": 2}
    assert get("p", ["all"], folder=presets) == {"n": 1, "other": 5}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("exp1: {m: 2}", "unknown parameter"),
        ("exp1: {n: -2}", "section exp1: n=-2: -2 is not in"),
        ("exp1: [n]", "expected NAME: VALUE"),
        ("exp9: {n: 2}", "unknown section"),
        ("exp1: {n: 2", "not YAML"),
        ("- 1", "expected sections"),
        ("exp1: {1: 2}", "section exp1: 1: expected one of again"),
        ("1: {n: 2}", "unknown section"),
        ("exp1: {n: !!timestamp foo}", "not YAML"),
        ("exp1: {n: " + "[" * 5000, "not YAML"),
        ("exp1: {n: \xff}", "not YAML"),
    ],
)
def test_a_wrong_preset_is_refused_by_its_file(tmp_path, declared, text, said):
    (tmp_path / "p.yml").write_text(text, encoding="latin-1")
    with pytest.raises(InputError) as error:
        parameters.preset("p", ["all", "exp1"], declared, folder=tmp_path)
    assert said in str(error.value)
    assert "p.yml" in str(error.value)
    assert "\n" not in str(error.value)


def test_unknown_preset_names_the_nearest(presets):
    with pytest.raises(InputError, match="unknown preset 'q'"):
        parameters.preset("q", ["all"], folder=presets)


def test_grids_and_ablations_are_no_presets(presets, tmp_path):
    (presets / "grids.yml").write_text("all: {n: 1}\n")
    for name in ("grids", "grid"):
        with pytest.raises(InputError) as error:
            parameters.preset(name, ["all"], folder=presets)
        assert str(error.value) == f"unknown preset {name!r}: expected one of p"
    with pytest.raises(InputError, match="unknown preset 'p': there are none"):
        parameters.preset("p", ["all"], folder=tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("exp2: {steps: 1, steps: 2}", "'steps' is given twice"),
        ("exp2: {}\nexp2: {}", "'exp2' is given twice"),
        ("{1: a, 1: b}", "1 is given twice"),
        ("[" + "0," * 200_001 + "]", "400,004 characters: expected at most 20,000"),
    ],
)
def test_yaml_that_hides_or_is_too_long_is_refused_at_once(text, said):
    started = time.monotonic()
    with pytest.raises(InputError, match=said):
        parameters.read_yaml(text, "here")
    assert time.monotonic() - started < 2


def test_an_anchor_and_what_is_merged_over_it_are_no_key_given_twice():
    text = "base: &b {steps: 1}\nexp2: {<<: *b, steps: 2}\n? [1, 2]\n: x"
    with pytest.raises(InputError, match="it is not YAML"):
        parameters.read_yaml(text, "here")
    assert parameters.read_yaml(text.split("?")[0], "here")["exp2"] == {"steps": 2}


def test_a_grid_given_twice_in_a_file_of_params_is_refused(tmp_path):
    (tmp_path / "grids.yml").write_text("exp2:\n  a: [1]\n  a: [2]\n")
    with pytest.raises(InputError, match="'a' is given twice"):
        settings._named(tmp_path / "grids.yml", lambda entry, where: entry)
