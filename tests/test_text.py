"""How numbers, intervals and tables are written."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from cdpbook import text
from cdpbook.statistics.estimates import Interval
from cdplib.errors import InputError


def test_numbers_have_a_true_minus_and_zero_no_sign():
    assert text.number(-1.234, 2) == "\u22121.23"
    assert text.signed(0.004, 2) == text.signed(-0.004, 2) == "0.00"
    assert text.signed(1, 1) == "+1.0"
    assert text.number(math.nan, 2) == "–"
    assert text.power(1.7e-14) == r"$2 \cdot 10^{-14}$"
    assert text.number(-math.inf, 2) == "\u2212∞"


def test_an_interval_says_when_it_is_unknown():
    assert text.interval(Interval(0.842, 0.8, 0.893), 2) == "0.84\u00a0[0.80,\u00a00.89]"
    assert "[unknown]" in text.interval(Interval(0.842, -math.inf, math.inf), 2)
    assert text.interval(Interval(math.nan, 0, 1), 2) == "–"
    assert text.percent(Interval(0.35, 0.1, 0.6)) == "35\u00a0%\u00a0[10,\u00a060]"


def test_a_quantity_is_written_with_its_factor_and_unit():
    found = text.quantity("error_rate_mlp")
    assert found.number(0.15523) == "15.52"
    assert found.change(Interval(-0.012, -0.015, -0.009)).startswith("\u22121.20\u00a0points")
    with pytest.raises(InputError, match="'psnr2'"):
        text.quantity("psnr2")


def test_a_table_is_made_of_any_frame():
    assert text.table([("0.84\u00a0[0.80,\u00a00.89]",)], ["x"]).endswith("0.84 [0.80, 0.89] |")
    frame = pd.DataFrame({"n": [1000, 2], "x": [0.123456, math.nan], "w": ["a", "b"]})
    assert text.table(frame) == "\n".join(
        ["| n | x | w |", "| --- | --- | --- |", "| 1,000 | 0.1235 | a |", "| 2 | – | b |"]
    )
    found = text.table(frame, head=["N", "X", ""], forms={"x": ".1f", "n": lambda n: f"<{n}>"})
    assert found.splitlines()[2] == "| <1000> | 0.1 | a |"
    assert text.table([("a", 1)], head=["", "count"]).endswith("| a | 1 |")
    assert text.table(frame[:0], empty="*None.*") == "*None.*"


def test_two_columns_of_one_name_are_two_columns():
    assert text.table([("a", 1, 2)], ["", "x", "x"]).endswith("| a | 1 | 2 |")


def test_a_range_is_one_number_where_both_ends_are_written_alike():
    assert text.between([0.25, -0.5, 0.1], 1) == "\u22120.5 to +0.2"
    assert text.between([0.11, 0.12], 1, sign=False) == "0.1"


def test_a_fold_hides_its_body_behind_a_title():
    assert text.fold("More", "| a |") == "::::{dropdown} More\n| a |\n::::"


def test_words_are_counted_and_listed():
    assert (text.count(1, "seed"), text.count(3, "seed")) == ("1 seed", "3 seeds")
    assert text.listed([]) == ""
    assert text.listed(["a"]) == "a"
    assert text.listed("abc") == "a, b and c"


def test_what_others_wrote_is_shown_as_it_is():
    assert text.plain("AMD EPYC 9V74 (2 cores)") == "AMD EPYC 9V74 (2 cores)"
    assert text.plain("<b>|x\n*y* `z` [a](b)") == r"\<b\>\|x \*y\* \`z\` \[a\](b)"
