"""The command ``cdp``: it parses and calls; what a command does is in the module it calls.

Every import of a subcommand happens when that subcommand runs, so ``cdp --help`` stays quick; all
others when :func:`main` runs, so that Ctrl-C at the start is met there.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # typing itself takes a while to import
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


#: Said where the program was installed without its clone.
NO_BOOK = "this command needs a clone of the book, with `make setup` run in it"


def _data(args: argparse.Namespace) -> int:
    from cdplib.experiments import data, datasets

    for name in args.datasets:
        datasets.get(name)
    for name in args.datasets or datasets.DATASETS:
        data.fetch(name)
    return 0


def _run(args: argparse.Namespace) -> int:
    from cdpbook.notebooks import run

    _choose_device(args.device)
    run.run_chapter(args.chapter, preset=args.preset, assignments=args.p, output=args.output)
    return 0


def _book(args: argparse.Namespace) -> int:
    from cdpbook.notebooks import book

    book.build(preset=args.preset, only=args.only, force=args.force, student=args.student)
    return 0


def _class(args: argparse.Namespace) -> int:
    from cdpbook.notebooks import classroom

    classroom.build(args.output)
    return 0


def _grade(args: argparse.Namespace) -> int:
    from cdpbook.notebooks import classroom

    return classroom.command(args.notebooks)


def _sweep(args: argparse.Namespace) -> int:
    from cdplib.experiments import table

    table.get(args.experiment)  # a wrong name is said before torch is loaded
    from cdplib.sweeps import sweep

    return sweep.command(
        args.experiment,
        preset=args.preset,
        assignments=args.p,
        ablation=args.ablation,
        dataset=args.dataset,
        workers=args.workers,
        scheduler=args.scheduler,
        device=args.device,
        store=args.store,
        dry_run=args.dry_run,
        retrain=args.retrain,
        publish=args.publish,
        stack=args.stack,
    )


def _explore(args: argparse.Namespace) -> int:
    from cdpbook import explore

    _choose_device(args.device)
    explore.command(
        args.images, task=args.task, preset=args.preset, assignments=args.p, output=args.output
    )
    return 0


def _choose_device(name: str) -> None:
    """Let the kernel of a chapter train on the device ``name``."""
    if name != "auto":
        from cdplib.experiments import device

        os.environ["CDP_DEVICE"] = str(device.choose(name))  # the kernel asks it


def _compare(args: argparse.Namespace) -> int:
    from cdplib.sweeps import compare

    return compare.command(args.results, experiments=args.experiments, publish=args.publish)


def _exact(args: argparse.Namespace) -> int:
    from cdpbook import problem_file

    return problem_file.command(args.problem, output=args.output)


def _params(args: argparse.Namespace) -> int:
    from cdpbook.notebooks import listing

    print(listing.listing(args.chapter, args.preset))
    return 0


def _completion(args: argparse.Namespace) -> int:
    from cdpbook import completion

    print(completion.script(args.commands, args.shell))
    return 0


def _parser() -> argparse.ArgumentParser:
    import argparse
    from pathlib import Path

    from cdplib import __version__, parameters

    parser = argparse.ArgumentParser(
        prog="cdp", description="The CDP Book: data, chapters, sweeps and the exact C(D,P)."
    )
    parser.add_argument("--version", action="version", version=f"cdp {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, action: object, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(action=action)
        return sub

    presets = parameters.presets() or None  # none where the book is not: said by what needs it
    devices = "where points are trained: auto, cpu, cuda[:N] or mps (default: auto)"

    def with_preset(sub: argparse.ArgumentParser, default: str) -> None:
        sub.add_argument("--preset", choices=presets, default=default, help=f"default: {default}")

    def with_parameters(sub: argparse.ArgumentParser) -> None:
        sub.add_argument(
            "-p",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="override a parameter of the preset, for example -p gammas=[0,0.03]",
        )

    sub = command("data", _data, "Fetch the data sets into the cache and check their digests.")
    sub.add_argument("datasets", nargs="*", metavar="DATASET", help="default: all")

    sub = command("run", _run, "Execute one chapter and render its page.")
    sub.add_argument("chapter", help="for example 07_exp2 (or 07, or exp2)")
    with_preset(sub, "read")
    with_parameters(sub)
    sub.add_argument("--output", type=Path, metavar="DIR", help="default: _build/run/CHAPTER")
    sub.add_argument("--device", default="auto", help=devices)

    sub = command("params", _params, "Say what a chapter can be given, and what a preset changes.")
    sub.add_argument("chapter", help="for example 07_exp2 (or 07, or exp2)")
    with_preset(sub, "read")

    sub = command("book", _book, "Execute what has changed and render the whole site.")
    with_preset(sub, "read")
    sub.add_argument("--only", action="append", default=[], metavar="CHAPTER")
    sub.add_argument("--force", action="store_true", help="execute even what has not changed")
    sub.add_argument("--student", action="store_true", help="leave out the solutions")

    sub = command("class", _class, "Write what a class is given, and its instructor.")
    sub.add_argument("--output", type=Path, metavar="DIR", help="default: _build/class")

    sub = command("grade", _grade, "Run handed-in notebooks; say which of their checks pass.")
    sub.add_argument("notebooks", nargs="+", type=Path, metavar="NOTEBOOK")

    sub = command("sweep", _sweep, "Train and measure an experiment's points; resumable.")
    sub.add_argument("experiment", metavar="EXP", help="for example exp2")
    with_preset(sub, "quick")
    with_parameters(sub)
    sub.add_argument("--ablation", metavar="NAME", help="a change named in params/ablations.yml")
    sub.add_argument("--dataset", help="another data set, for example fashion-mnist")
    sub.add_argument("--workers", type=int, metavar="N", help="processes (default: the cores)")
    sub.add_argument(
        "--stack", type=int, default=1, metavar="N", help="points of a seed trained as one (GPUs)"
    )
    sub.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler, tcp://host:port")
    sub.add_argument("--device", default="auto", help=devices)
    sub.add_argument("--store", type=Path, metavar="DIR", help="where the points are kept")
    sub.add_argument("--dry-run", action="store_true", help="say what would be trained, and stop")
    sub.add_argument("--retrain", action="store_true", help="train all of it anew")
    sub.add_argument("--publish", action="store_true", help="write the rows to book/results")

    sub = command("explore", _explore, "Run an experiment on your own labelled images; its page.")
    sub.add_argument(
        "images",
        type=Path,
        metavar="IMAGES",
        help="an .npz with images (n,h,w) or (n,h,w,c) and labels (n,), or a folder with one "
        "sub-folder of PNG or JPEG files a class; at least 2,000 squares of 8 to 64 pixels, grey "
        "or RGB, in 2 to 10 classes; brought to 28 pixels a side up to 28, else to 32",
    )
    sub.add_argument(
        "--task",
        choices=("denoising", "sr"),
        default="denoising",
        help="what is restored: noise as in Exp-2, or a reduction by 3 as in Exp-5 (default: "
        "denoising)",
    )
    sub.add_argument(
        "--preset",
        choices=[name for name in presets or () if name in ("smoke", "quick", "full")] or None,
        default="quick",
        help="default: quick (minutes)",
    )
    with_parameters(sub)
    sub.add_argument("--output", type=Path, metavar="DIR", help="default: _build/explore/NAME")
    sub.add_argument("--device", default="auto", help=devices)

    sub = command("compare", _compare, "Run published points again and compare every column.")
    sub.add_argument("results", type=Path, metavar="RESULTS", help="for example book/results")
    sub.add_argument("--experiments", nargs="+", metavar="EXP", default=[])
    sub.add_argument("--publish", action="store_true", help="record what came out, for the pages")

    sub = command("exact", _exact, "Solve your own finite problem, with a certificate.")
    sub.add_argument("problem", type=Path, metavar="PROBLEM.json")
    sub.add_argument("--output", type=Path, metavar="PATH", help="JSON, or CSV and a picture")

    sub = command("completion", _completion, "Print a script that completes cdp in your shell.")
    sub.add_argument("shell", choices=("bash", "zsh"))
    sub.set_defaults(commands=commands.choices)
    return parser


def _open_streams() -> None:
    """Let what was closed (``cdp ... >&-``) be the null device.

    Python has None in its place, and the next file that is opened would be written to instead.
    """
    while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(handle, True)
    os.close(handle)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``cdp``; 0 is success, 1 a failure outside the input, 2 wrong input (one line).

    130 after Ctrl-C, 128 + n after another signal n that asks it to end.
    """
    try:
        from cdplib.errors import DataError, InputError

        _open_streams()
        try:
            return _act(argv)
        except InputError as error:
            print(f"cdp: {error}", file=sys.stderr)
            return 2
        except DataError as error:
            print(f"cdp: {error}", file=sys.stderr)
            return 1
    except KeyboardInterrupt as stop:
        by = f" by {stop}" if str(stop) else ""
        print(f"cdp: stopped{by}; what was finished is kept", file=sys.stderr)
        return 128 + getattr(stop, "number", 2)
    except BrokenPipeError:  # as with `cdp ... | head`: nobody reads on, nothing is to be said
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:  # a full disk, a folder that may not be read
        print(f"cdp: {' '.join(str(error).split())}", file=sys.stderr)
        return 1


def _act(argv: Sequence[str] | None) -> int:
    """Parse, and do what is asked; the status."""
    import contextlib

    from cdplib import lifetime
    from cdplib.errors import DataError
    from cdplib.storage import paths

    args = _parser().parse_args(argv)
    # A solver's call lets no handler in: what has no helpers to end is ended by the system.
    with contextlib.nullcontext() if args.action is _exact else lifetime.stoppable():
        paths.settle()
        if (
            args.action in (_run, _params, _book, _class, _grade, _sweep, _explore)
            and not paths.PARAMS.is_dir()
        ):
            raise DataError(f"{NO_BOOK}, and {paths.ROOT} is none")
        status = int(args.action(args))
        sys.stdout.flush()  # a reader that has gone is met here, not when Python ends
        return status


if __name__ == "__main__":
    sys.exit(main())
