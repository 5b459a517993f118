"""``python -m cdpbook.refits``: simulate the fits behind the verdicts of all pages, and publish."""

from __future__ import annotations

from cdpbook import fits
from cdpbook.runs import published_runs
from cdpbook.studies import longer, rules, sensitivity, verdicts


def write() -> None:
    """Ask for the verdicts as the pages do, and publish the fits that they asked for; minutes."""
    runs, stronger = published_runs(), published_runs((("full", "fast-large"),))
    own, other = rules.load().perceptions
    whole = verdicts.lines(runs, own)
    verdicts.changed(runs, whole, own)
    sensitivity.assess(runs, whole, own)
    for shown, perception in ((runs, other), (runs, "frechet"), (stronger, own)):
        verdicts.lines(shown, perception)
    longer.matrix(longer.versions())
    fits.publish()


if __name__ == "__main__":
    write()
