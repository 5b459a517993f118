"""``make torture``: every fault as often as the minutes allow, and a table of what survived.

    python -m tests.torture.run [--minutes 15] [--seed 2026]

Counts scale with the minutes; kills are 200 in all at 15. The table is printed and written to
_build/torture.txt. Status 1 where anything was lost, left, or said in more than a line.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cdplib.storage import files, paths
from tests.theory import fuzz
from tests.torture import faults, inputs
from tests.torture.trials import HEAD, Row

#: Kills at 15 minutes, by what is killed.
KILLS = {"sweep": 70, "publishing": 55, "data": 45, "run": 20, "book": 10}
#: What is quick enough for a short run.
QUICK = ("sweep", "publishing", "data")


def solver(problems: int, seed: int) -> Row:
    """The exact solver's answers to random problems, judged in 60 digits."""
    row = Row("random problems to the exact solver (points)")
    total: dict[str, int] = {}
    for counts in fuzz.run(problems, seed).values():
        for name, count in counts.items():
            total[name] = total.get(name, 0) + count
    bad = {name: total.get(name, 0) for name in ("wrong", "exception")}
    row.tried = total.get("points", 0)
    row.survived = row.tried - sum(bad.values())
    row.lost = [f"{count} {name}" for name, count in bad.items() if count]
    return row


def rows(folder: Path, minutes: float, seed: int) -> Iterator[Row]:
    """The lines of the table, as they come."""
    share = minutes / 15
    makes = faults.makers(folder)
    quick = {name: makes[name] for name in QUICK}

    def times(count: int) -> int:
        return max(1, round(count * share))

    for name in KILLS if minutes >= 2 else quick:
        yield faults.kills(name, makes[name], folder / f"kill-{name}", times(KILLS[name]), seed)
    for name, make in quick.items():
        yield faults.full(name, make, folder / f"full-{name}", times(12), seed)
    yield faults.tmpfs(makes["sweep"], folder / "tmpfs")
    for name, make in quick.items():
        yield faults.read_only(name, make, folder / f"read-only-{name}")
    for count in (2, 8):
        yield faults.writers(count, folder / f"writers{count}", times(10))
        yield faults.publishers(count, makes["publishing"], folder / f"book{count}", times(10))
    yield faults.stopped(folder / "stopped", times(10), seed)
    yield faults.clock(quick, folder / "clock", times(5), seed)
    yield inputs.table(folder / "inputs")
    yield from inputs.fuzzed(folder / "fuzzed", times(1500))
    yield faults.soak(folder / "soak", max(20, round(500 * min(1, share))))
    if minutes >= 2:
        yield faults.cluster()
        yield solver(times(300), seed)


def table(minutes: float, seed: int, say: Callable[[str], None] = print) -> list[Row]:
    """Try everything; each line is said when it is known."""
    say(HEAD)
    found = []
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for row in rows(folder, minutes, seed):
            say(str(row))
            found.append(row)
    return found


def main() -> int:
    """Print the table and write it to _build."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=15, help="at most about so many")
    parser.add_argument("--seed", type=int, default=2026)
    args = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    started, lines = time.monotonic(), []

    def say(text: str) -> None:
        lines.append(text)
        print(text, flush=True)

    with contextlib.redirect_stderr(sys.stdout):
        found = table(args.minutes, args.seed, say)
    bad = [row for row in found if row.lost]
    tried = sum(row.tried for row in found)
    kills = sum(row.tried for row in found if row.fault.startswith("kill"))
    took = (time.monotonic() - started) / 60
    say(f"{tried} trials, {kills} of them kills, in {took:.1f} minutes; "
        f"{len(bad)} lines with something lost or left; seed {args.seed}")  # fmt: skip
    files.write_text(paths.BUILD / "torture.txt", "\n".join(lines) + "\n")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
