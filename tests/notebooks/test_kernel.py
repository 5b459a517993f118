"""The kernel of a page: chapters that start at one moment do not get into each other's way."""

from __future__ import annotations

from cdpbook.notebooks.kernel import ThisPython


def test_kernels_take_no_tcp_ports_that_another_chapter_may_have_chosen():
    managers = [ThisPython() for _ in range(2)]
    found = [manager.get_connection_info() for manager in managers]
    assert {info["transport"] for info in found} == {"ipc"}
    assert found[0]["ip"] != found[1]["ip"]
