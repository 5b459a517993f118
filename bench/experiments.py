"""What training costs here: a step as released against ours, processes, Dask, memory.

Run it alone on an idle machine: ``python -m bench.experiments``. Nothing is trained to an end;
networks start from their initialisation, whose steps cost what any steps cost.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import itertools
import json
import multiprocessing
import os
import resource
import statistics
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from cdplib.experiments import classifiers, device, restoration, settings, stacked
from cdplib.experiments.material import Material
from cdplib.experiments.settings import Point
from cdplib.storage import files, paths

CPU = torch.device("cpu")
#: Where a finished run is kept for the page on reproducibility.
KEPT = paths.BOOK / "_static" / "bench.json"
#: The release's step: its networks, five critic steps, each on fresh restorations.
RELEASE: dict[str, Any] = {
    **{"restorer": "paper", "critic": "clip", "critic_width": 32, "critic_steps": 5},
    **{"statistics": "batch", "width": 0},
}
OURS: dict[str, dict[str, Any]] = {
    "paper's denoiser": {"restorer": "paper", "width": 0, "critic_width": 16},
    "S2D64x6": {"restorer": "fast-large", "width": 0, "critic_width": 16},
    "S2D32": {"restorer": "fast", "width": 0, "critic_width": 16},
}


def point(experiment: str, steps: int, batch: int = 50, **given: Any) -> Point:
    """A point with both beta and gamma, so that a step has all of Eq. 16."""
    found = settings.resolve(experiment, "smoke", {**given, "batch": batch, "steps": steps})
    return Point(experiment, "smoke", found, 1.0, 0.01, 0.01, 0)


def step_ms(p: Point, *, plain: bool = False) -> float:
    """CPU milliseconds of one restorer step with its critic steps, median of ``steps``.

    ``plain``: in float32 with channels first, as the release computes.

    One thread computes: CPU time is its time on an idle core, and bears with a busy machine.
    """
    material = Material.load(p, CPU)
    # Only steps are timed: the looks at validation images are few in a real run.
    material.validation = tuple(part[:50] for part in material.validation)  # type: ignore[assignment]
    restorer, critic = restoration.new_restorer(p), restoration.new_critic(p)
    usual = device.channels_last, device.to_device, device.autocast
    if plain:
        device.channels_last = lambda images: images
        device.to_device = lambda model, device: model
        device.autocast = lambda where: contextlib.nullcontext()
    models = [classifiers.build(p.settings.classifier, p.settings.dataset).eval()]
    for model in models:
        model.requires_grad_(False)
    device.to_device(restorer, CPU)
    device.to_device(critic, CPU)
    times: list[float] = []
    try:
        restoration.train(
            p, material, CPU, restorer, critic, models, lambda: times.append(time.process_time())
        )
    finally:
        device.channels_last, device.to_device, device.autocast = usual
    return 1000 * statistics.median(b - a for a, b in itertools.pairwise(times))


def work(seconds: float) -> float:
    """S2D32 steps for so many seconds in this process; steps a second."""
    torch.set_num_threads(1)
    ends = time.perf_counter() + seconds
    p = point("exp2", 100_000, **OURS["S2D32"])
    material = Material.load(p, CPU)
    material.validation = tuple(part[:50] for part in material.validation)  # type: ignore[assignment]
    restorer, critic = restoration.new_restorer(p), restoration.new_critic(p)
    device.to_device(restorer, CPU)
    device.to_device(critic, CPU)
    model = classifiers.build("cnn1", "mnist").eval().requires_grad_(False)
    times: list[float] = []

    def tick() -> None:
        times.append(time.perf_counter())
        if times[-1] > ends and len(times) > 3:
            raise StopIteration

    with contextlib.suppress(StopIteration):
        restoration.train(p, material, CPU, restorer, critic, [model], tick)
    return (len(times) - 1) / (times[-1] - times[0])


def peak_gb() -> float:
    """Peak resident memory of this process so far, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def memory(experiment: str) -> float:
    """Peak memory in GB of a process that trains the paper's networks of ``experiment``."""
    torch.set_num_threads(1)
    step_ms(point(experiment, 3, **OURS["paper's denoiser"]))
    return peak_gb()


def in_processes(n: int, function: Callable[..., float], *arguments: Any) -> list[float]:
    """``function`` in ``n`` fresh processes at once."""
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(n, mp_context=spawn) as pool:
        return [f.result() for f in [pool.submit(function, *arguments) for _ in range(n)]]


def dask_overhead(seconds: float, points: int = 8) -> float:
    """Share of time that the Dask path adds to ``points`` jobs of ``seconds`` on two workers."""
    import distributed

    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        payload = client.scatter({"weights": b"0" * 3_000_000}, broadcast=True)
        client.gather(client.map(time.sleep, [0.0] * 4, pure=False))  # the workers are awake
        began = time.perf_counter()
        futures = [
            client.submit(
                lambda _, s: (time.sleep(s), b"0" * 900_000)[1], payload, seconds, pure=False
            )
            for _ in range(points)
        ]
        for _ in distributed.as_completed(futures, with_results=True):
            pass
        took = time.perf_counter() - began
    return took / (seconds * points / 2) - 1


#: A card to compute with where none is there: bfloat16 products a second of an H100 (SXM), dense.
H100_FLOPS = 989e12
#: The share of its peak that small convolutions are taken to reach.
SHARE = 0.05


def step_flops(p: Point) -> float:
    """Floating-point operations of one training step of ``p`` (a product and a sum are two)."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        step_ms(p)
    return counter.get_total_flops() / p.settings.steps


def gpu_rates(steps: int, batch: int, stack: int = 1) -> dict[str, dict[str, float]]:
    """Images a second and share of the peak of an H100 for each of :data:`OURS`, on this card;
    of ``stack`` points of one seed that are trained as one."""
    where, found = torch.device("cuda"), {}
    for name, given in OURS.items():
        p = point("exp2", steps, batch, **given)
        flops = step_flops(point("exp2", 2, 8, **given)) / 8 * batch * stack
        material = Material.load(p, where)
        material.validation = tuple(part[:50] for part in material.validation)  # type: ignore[assignment]
        pairs = [(restoration.new_restorer(p), restoration.new_critic(p)) for _ in range(stack)]
        for network in itertools.chain(*pairs):
            device.to_device(network, where)
        net = classifiers.build(p.settings.classifier, p.settings.dataset).eval().to(where)
        against = [net.requires_grad_(False)]
        if stack > 1:
            restorers, critics = zip(*pairs, strict=True)
            trainer: restoration.Trainer = stacked.Trainer(
                [p] * stack, material, where, restorers, critics, against
            )
        else:
            trainer = restoration.Trainer(p, material, where, *pairs[0], against)
        for number in range(10):
            trainer.step(number + 1)
        torch.cuda.synchronize()
        began = time.perf_counter()
        for number in range(steps):
            trainer.step(number + 1)
        torch.cuda.synchronize()
        took = (time.perf_counter() - began) / steps
        found[name] = {
            "images_a_second": batch * stack / took,
            "share": flops / took / H100_FLOPS,
        }
    return found


def paper_minutes() -> tuple[float, float]:
    """GFLOP a step of preset `paper` in Exp-2, and its minutes a point, computed and not measured:
    all its steps at :data:`SHARE` of an H100's peak."""
    own = settings.resolve("exp2", "paper")
    few = own._replace(steps=3, select=False)
    flops = step_flops(Point("exp2", "paper", few, 1.0, 0.01, 0.01, 0))
    return flops / 1e9, flops * own.steps / (SHARE * H100_FLOPS) / 60


def gpu_table() -> None:
    """Print what the GPU does, or that there is none, and what the paper's schedule would take."""
    if torch.cuda.is_available():
        print(f"GPU: {torch.cuda.get_device_name()}")
        for batch, stack in ((512, 1), (32, 1), (32, 20), (32, 60)):
            for name, rate in gpu_rates(50, batch, stack).items():
                what = f"{name}, {batch} images a step, {stack} points as one"
                share = f"{100 * rate['share']:.2f} % of an H100's peak"
                print(f"{what:60} {rate['images_a_second']:10,.0f} images a second, {share}")
    else:
        print("GPU: there is none here; its table is skipped")
    gflop, minutes = paper_minutes()
    print(
        f"preset paper, Exp-2: {gflop:.1f} GFLOP a step, {minutes:.0f} minutes a point at "
        f"{100 * SHARE:.0f} % of an H100's peak (computed from FLOPs, not measured)"
    )


def measure(steps: int) -> dict[str, Any]:
    """Every figure of the table, by name: ratios are of numbers taken side by side in this run."""
    own = settings.resolve("exp2", "full").batch
    found: dict[str, Any] = {
        "hardware": device.hardware("cpu"),
        "precision": device.precision("cpu"),
        "torch": torch.__version__,
        "steps_timed": steps,
    }
    release = step_ms(point("exp2", max(3, steps // 2), **RELEASE), plain=True)
    found["step"] = {"as released: 5 critic steps, fp32, 50 images": {"ms": release, "times": 1.0}}
    for name, given in OURS.items():
        for batch in (50, own):
            ms = step_ms(point("exp2", steps, batch, **given))
            found["step"][f"{name}: 1 critic step, {batch} images"] = {
                "ms": ms,
                "times": release / ms,
            }
    (one,) = in_processes(1, work, 10.0)
    found["processes"] = sum(in_processes(2, work, 10.0)) / one
    found["dask_overhead"] = dask_overhead(5.0, 4)
    found["peak_gb"] = {
        experiment: in_processes(1, memory, experiment)[0] for experiment in ("exp2", "exp5")
    }
    return found


def main() -> None:
    """Print the table; with ``--write`` also keep it for the book."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=8, help="timed steps each (default: 8)")
    parser.add_argument("--write", action="store_true", help=f"to {KEPT.relative_to(paths.ROOT)}")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    found = measure(arguments.steps)
    print(
        f"{found['hardware']}, torch {found['torch']}, {found['precision']}, "
        "one thread a process, Exp-2"
    )
    for name, row in found["step"].items():
        print(f"{name:50} {row['ms']:8.0f} ms a step, {row['times']:.1f} times faster")
    print(f"{'2 processes against 1':50} {found['processes']:8.2f} times the steps a second")
    print(f"{'Dask, jobs of 5 s':50} {100 * found['dask_overhead']:8.1f} % overhead")
    for experiment, peak in found["peak_gb"].items():
        print(f"{'peak memory of a worker, ' + experiment:50} {peak:8.2f} GB")
    gpu_table()
    if arguments.write:
        files.write_text(KEPT, json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
