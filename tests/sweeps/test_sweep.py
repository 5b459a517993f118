"""A sweep loses nothing and trains nothing twice: killed, resumed, shared, on a Dask cluster.

The jobs here write a line and wait instead of training, so that processes can be killed at will;
that a job trains what it should is tested with the loop of Eq. 16.
"""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from cdplib.errors import DataError, InputError
from cdplib.experiments import results, settings
from cdplib.storage import files, paths, store
from cdplib.sweeps import jobs, pools, sweep
from tests.torture.works import row_of

pytestmark = pytest.mark.data  # hashes of points contain the digest of their data

#: Replaces training in whatever process imports it: a trace of starts and ends, and a row.
FAKE = """
import os, time
from pathlib import Path
import numpy as np
from cdplib.storage import store
from cdplib.sweeps import configuration, jobs

TRACE = Path(os.environ["CDP_TEST_TRACE"])

def log(event, label):
    with TRACE.open("a") as stream:
        stream.write(f"{event} {label}\\n")

def run(job, site, packed=None):
    store.unpack(packed or {})
    if job.kind != "points":
        return {}
    if job.others:
        log("stack", f"of {len(job.points)}")
    return [one(point) for point in job.points]

def one(point):
    log("start", point.label())
    time.sleep(float(os.environ.get("CDP_TEST_SECONDS", "0.3")))
    log("end", point.label())
    names = "mse mse_se error_rate error_rate_se ce p_critic p_judge p_judge_se sliced_w2 frechet"
    row = {name: 0.5 for name in (names + " psnr ssim seconds").split()}
    row |= dict(experiment=point.experiment, alpha=point.alpha, beta=point.beta)
    row |= dict(gamma=point.gamma, seed=point.seed, dataset="mnist", restorer="fast")
    row |= dict(config_hash=configuration.key(point), worker=os.getpid())
    if point.gamma == 9:
        row = {"failed": "loss is nan at step 3", **row}
    return store.Outcome(row, [], np.zeros((1, 1, 2, 2), np.uint8), b"weights")

def pair(job, site, packed=None):  # what a local worker is sent: by it, the worker imports this
    return job, run(job, site, packed)

jobs.run = run
"""
MAIN = """
import sys
from pathlib import Path
from cdplib.sweeps import sweep
sweep.Sweep.preparations = lambda self: []
given = {"betas": [0, 0.1, 0.2, 0.3], "gammas": [float(g) for g in sys.argv[2:]]}
table = sweep.run("exp2", given, preset="smoke", workers=1, folder=Path(sys.argv[1]), where="cpu")
print(len(table))
"""


@pytest.fixture
def trace(tmp_path, monkeypatch):
    (tmp_path / "fake_jobs.py").write_text(FAKE)
    (tmp_path / "main.py").write_text("import fake_jobs\n" + MAIN)
    monkeypatch.setenv("CDP_TEST_TRACE", str(tmp_path / "trace"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path), str(paths.ROOT))))
    return tmp_path / "trace"


def start(folder: Path, *gammas: float) -> subprocess.Popen[str]:
    command = [sys.executable, str(folder / "main.py"), str(folder / "store"), *map(str, gammas)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def events(trace: Path, kind: str) -> Counter[str]:
    lines = trace.read_text().splitlines() if trace.exists() else []
    return Counter(line.partition(" ")[2] for line in lines if line.startswith(kind))


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)


def kept(folder: Path) -> int:
    return len(list((folder / "store").glob("??/*/row.json")))


def labels(folder: Path) -> set[str]:
    rows = [json.loads(p.read_text()) for p in (folder / "store").glob("??/*/row.json")]
    return {
        "{experiment} alpha={alpha:g} beta={beta:g} gamma={gamma:g} seed={seed}".format(**row)
        for row in rows
    }


def test_killed_and_started_again_it_trains_only_what_is_missing(trace, tmp_path):
    first = start(tmp_path, 0, 1)
    wait_for(lambda: kept(tmp_path) >= 3)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    finished = kept(tmp_path)
    assert 3 <= finished < 8
    before = events(trace, "start")
    second = start(tmp_path, 0, 1)
    out, err = second.communicate(timeout=200)
    assert out.strip() == "8", err
    again = events(trace, "start") - before
    assert sum(again.values()) == 8 - finished
    assert not list((tmp_path / "store").glob("??/.new-*/point/row.json"))


def test_points_of_one_seed_are_one_job_where_they_are_stacked(tmp_path, monkeypatch):
    asked = []

    def run(job, site, packed=None):
        asked.append([(point.seed, point.beta) for point in job.points])
        images = np.zeros((1, 1, 2, 2), np.uint8)
        return [store.Outcome(row_of(point), [], images, b"x") for point in job.points]

    monkeypatch.setattr(jobs, "run", run)
    monkeypatch.setattr(sweep.Sweep, "preparations", lambda self: [])
    given = {"betas": [0, 0.1, 0.2], "gammas": [0.0], "seeds": [0, 1]}
    own = {"preset": "smoke", "workers": 1, "folder": tmp_path, "where": "cpu"}
    assert len(sweep.run("exp2", given, **own, stack=2)) == 6
    assert sorted(len(points) for points in asked) == [1, 1, 2, 2]
    assert all(len({seed for seed, _ in points}) == 1 for points in asked)
    assert len({point for points in asked for point in points}) == 6
    sweep.run("exp2", given, **own, stack=2)
    assert len(asked) == 4  # what is kept is not trained again


@pytest.mark.parametrize(
    ("stack", "given", "said"),
    [(0, {}, "stack=0: expected at least 1"), (2, {"noise_input": True}, "one by one")],
)
def test_a_stack_that_cannot_be_is_refused_before_any_work(tmp_path, stack, given, said):
    with pytest.raises(InputError, match=said):
        sweep.run("exp2", given, preset="smoke", folder=tmp_path, where="cpu", stack=stack)


def test_two_sweeps_at_once_share_the_work(trace, tmp_path):
    both = [start(tmp_path, 0, 1) for _ in range(2)]
    outputs = [process.communicate(timeout=300) for process in both]
    assert [out.strip() for out, _ in outputs] == ["8", "8"], outputs
    assert set(events(trace, "start").values()) == {1}


def test_a_failed_point_is_recorded_named_and_kept_out_of_the_table(trace, tmp_path):
    out, err = start(tmp_path, 0, 9).communicate(timeout=200)
    assert out.strip() == "4"
    assert err.count("failed, loss is nan at step 3") == 4
    out, err = start(tmp_path, 0, 9).communicate(timeout=200)
    assert out.strip() == "4"
    assert err.count("failed, loss is nan at step 3") == 4
    assert set(events(trace, "start").values()) == {1}


COMMAND = """
import sys
import fake_jobs
from cdpbook import cli
from cdplib.sweeps import pools, sweep
pools._pair = fake_jobs.pair
sweep.Sweep.preparations = lambda self: []
given = ["-p", "betas=[0]", "-p", "gammas=[0]", "--preset", "smoke", "--device", "cpu"]
sys.exit(cli.main(["sweep", "exp2", *given, "--workers", "2", "--store", sys.argv[1]]))
"""


@pytest.mark.parametrize("by", ["SIGKILL", "SIGTERM", "SIGHUP", "SIGINT"])
def test_workers_end_with_their_sweep_whatever_ends_it(trace, tmp_path, monkeypatch, by):
    """One is busy, with a job that never looks at its parent; the other is idle."""
    monkeypatch.setenv("CDP_TEST_SECONDS", "600")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    (tmp_path / "command.py").write_text(COMMAND)
    number = getattr(signal, by)
    running = subprocess.Popen(
        [sys.executable, str(tmp_path / "command.py"), str(tmp_path / "store")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: [signal.signal(n, signal.SIG_DFL) for n in (signal.SIGINT, number)]
        if by != "SIGKILL" else None,  # under nohup a hangup is ignored, as it should be
    )  # fmt: skip
    wait_for(lambda: sum(events(trace, "start").values()) == 1, 300)
    helpers = psutil.Process(running.pid).children(recursive=True)
    assert len(helpers) >= 2
    running.send_signal(number)
    running.wait(timeout=30)
    _, alive = psutil.wait_procs(helpers, timeout=10)  # 2 s where nothing else runs
    for process in alive:
        process.kill()
    assert not alive
    said = running.communicate()[1]
    if by != "SIGKILL":
        name = "" if by == "SIGINT" else f" by {by}"
        assert said == f"cdp: stopped{name}; what was finished is kept\n"
        assert running.returncode == 128 + number
    assert not list((tmp_path / "store").glob("??/*"))


STARTING = """
import sys
import starting
from cdplib.sweeps import jobs, pools
if __name__ == "__main__":
    pools._pair = starting.pair
    list(pools.local(2)(iter("abc"), jobs.Site("cpu", False)))
"""
#: What a worker imports first; then it says that it is about to import what a training needs.
IMPORTS = """
import os, pathlib, time
def pair(job, site, packed=None):
    (pathlib.Path(os.environ["CDP_TEST_TRACE"]) / str(os.getpid())).touch()
    import torch, torchvision
    time.sleep(600)
"""


@pytest.mark.parametrize(
    ("by", "importing"),
    [("SIGKILL", False), ("SIGKILL", True), ("SIGTERM", True), ("SIGHUP", False)],
)
def test_workers_that_are_still_starting_end_with_their_sweep_too(
    tmp_path, monkeypatch, by, importing
):
    (tmp_path / "starting.py").write_text(IMPORTS)
    (tmp_path / "command.py").write_text(STARTING)
    (tmp_path / "trace").mkdir()
    monkeypatch.setenv("CDP_TEST_TRACE", str(tmp_path / "trace"))
    number = getattr(signal, by)
    running = subprocess.Popen(
        [sys.executable, str(tmp_path / "command.py")], stderr=subprocess.DEVNULL,
        preexec_fn=lambda: number == signal.SIGKILL or signal.signal(number, signal.SIG_DFL),
    )  # fmt: skip
    own = psutil.Process(running.pid)
    wait_for(lambda: len(own.children()) >= 2)  # they are there, and have not been told anything
    if importing:
        wait_for(lambda: len(list((tmp_path / "trace").iterdir())) == 2)
    helpers = own.children(recursive=True)
    running.send_signal(number)
    running.wait(timeout=30)
    # Idle, 1.2 s at most. One that only just began looks for its parent when Python is up.
    _, alive = psutil.wait_procs(helpers, timeout=20)
    for process in alive:
        process.kill()
    assert not alive


def test_training_anew_is_asked_of_local_workers_too(monkeypatch):
    asked = []
    monkeypatch.setattr(jobs, "run", lambda job, site, packed=None: asked.append(site))
    (point, *_) = settings.plan("exp2", "smoke")
    list(pools.local(1)([jobs.Job("start", point)], jobs.Site("cpu", False, anew=True)))
    assert asked == [jobs.Site("cpu", False, anew=True)]


@pytest.mark.filterwarnings("ignore")  # Dask's own, about ports and lost workers
def test_a_dask_cluster_that_loses_a_worker_still_gives_every_row(trace, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(sweep.Sweep, "preparations", lambda self: [])
    monkeypatch.setenv("CDP_TEST_SECONDS", "0.5")
    scheduler = subprocess.Popen(
        [
            *(sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1"),
            *("--port", "0", "--no-dashboard", "--scheduler-file", str(tmp_path / "s.json")),
        ],
        stderr=subprocess.DEVNULL,
    )
    workers = []
    try:
        wait_for(lambda: (tmp_path / "s.json").exists())
        time.sleep(0.2)
        address = json.loads((tmp_path / "s.json").read_text())["address"]
        workers = [
            subprocess.Popen(
                [
                    *(sys.executable, "-m", "distributed.cli.dask_worker", address),
                    *("--no-nanny", "--nthreads", "1", "--no-dashboard"),
                    *("--preload", "fake_jobs", "--local-directory", str(tmp_path / f"w{i}")),
                ],
                stderr=subprocess.DEVNULL,
            )
            for i in range(2)
        ]
        with distributed.Client(address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=120)

        safe: set[str] = set()

        def kill_one() -> None:
            wait_for(lambda: kept(tmp_path) >= 2)
            safe.update(labels(tmp_path))
            workers[0].kill()

        killer = threading.Thread(target=kill_one)
        killer.start()
        table = sweep.run(
            "exp2",
            {"betas": [0.0, 0.1, 0.2, 0.3], "gammas": [0.0, 1.0, 2.0]},
            preset="smoke",
            scheduler=address,
            folder=tmp_path / "store",
            where="cpu",
        )
        killer.join()
    finally:
        for process in [*workers, scheduler]:
            process.kill()
            process.wait()
    assert len(table) == 12
    assert workers[0].returncode == -signal.SIGKILL
    assert workers[1].pid in set(table["worker"])
    # What had come back before the kill was not trained again.
    assert len(safe) >= 2
    assert {events(trace, "start")[label] for label in safe} == {1}
    assert kept(tmp_path) == 12


@pytest.fixture
def cluster(tmp_path):
    """Start a scheduler and, by a command after its address, a worker; all end with the test."""
    started = []

    def begin(*command, **environment):
        started.append(
            subprocess.Popen(
                [sys.executable, *command],
                stderr=subprocess.DEVNULL,
                env={**os.environ, **environment},
            )
        )
        return started[-1]

    begin(
        *("-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"),
        *("--no-dashboard", "--scheduler-file", str(tmp_path / "s.json")),
    )
    wait_for(lambda: (tmp_path / "s.json").exists())
    time.sleep(0.2)
    address = json.loads((tmp_path / "s.json").read_text())["address"]
    yield begin, address, started
    for process in started:
        process.kill()
        process.wait()


WORKER = ("--no-nanny", "--nthreads", "1", "--no-dashboard")


@pytest.mark.filterwarnings("ignore")
def test_a_killed_scheduler_is_said_in_one_line(trace, tmp_path, monkeypatch, cluster):
    begin, address, started = cluster
    monkeypatch.setattr(sweep.Sweep, "preparations", lambda self: [])
    begin(
        *("-m", "distributed.cli.dask_worker", address, *WORKER, "--preload", "fake_jobs"),
        *("--local-directory", str(tmp_path / "w")),
    )
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(1, timeout=120)
    killer = threading.Thread(target=lambda: (wait_for(lambda: kept(tmp_path)), started[0].kill()))
    killer.start()
    given = {"betas": [0.1 * k for k in range(60)], "gammas": [0.0]}
    with pytest.raises(DataError, match="the Dask cluster lost workers or its scheduler") as said:
        sweep.run(
            "exp2", given, preset="smoke", scheduler=address, folder=tmp_path / "store", where="cpu"
        )
    killer.join()
    assert "\n" not in str(said.value)
    assert kept(tmp_path) >= 1


@pytest.mark.filterwarnings("ignore")
def test_a_worker_without_cdplib_is_said_in_one_line(tmp_path, monkeypatch, cluster):
    begin, address, _ = cluster
    monkeypatch.setattr(sweep.Sweep, "preparations", lambda self: [])
    hide = "import sys; sys.modules['cdplib'] = None; "
    hide += "from distributed.cli.dask_worker import main; main()"
    begin("-c", hide, address, *WORKER, "--local-directory", str(tmp_path / "w"))
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(1, timeout=120)
    with pytest.raises(DataError, match=r"worker at tcp://.* cannot be used: .*cdplib") as said:
        sweep.run("exp2", preset="smoke", scheduler=address, folder=tmp_path / "s", where="cpu")
    assert "\n" not in str(said.value)


def test_training_anew_replaces_what_the_store_has(trace, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sweep.Sweep, "preparations", lambda self: [])
    monkeypatch.setattr(jobs, "run", jobs.run)  # what the import replaces comes back
    import fake_jobs  # noqa: F401

    monkeypatch.setenv("CDP_TEST_SECONDS", "0")
    how = {"preset": "smoke", "workers": 1, "folder": tmp_path / "store", "where": "cpu"}
    for retrain, times in ((False, 1), (False, 1), (True, 2), (True, 3)):
        assert len(sweep.run("exp2", retrain=retrain, **how)) == 4
        assert set(events(trace, "start").values()) == {times}
    assert not list((tmp_path / "store").glob("??/.new-*"))


def test_training_anew_does_not_start_from_what_is_cached(tmp_path, monkeypatch):
    from cdplib.experiments import classifiers

    monkeypatch.setenv("CDP_CACHE", str(tmp_path))
    (point, *_) = settings.plan("exp2", "smoke")
    start, classifier = jobs.Job("start", point), jobs.Job("classifier", point, "cnn1")
    made = [*jobs.needed(start), ("classifier", classifiers.key("cnn1", "mnist"))]
    for kind, key in made:
        store.save_weights(kind, key, {"old": torch.zeros(1)}, {})
    monkeypatch.setattr(jobs, "_start", lambda *arguments: None)
    monkeypatch.setattr(classifiers, "_trained", lambda *a: (_ for _ in ()).throw(InterruptedError))
    jobs.run(start, jobs.Site())
    assert all(store.weights_path(*pair).is_file() for pair in made)
    jobs.run(start, jobs.Site(shipped=False, anew=True))
    with pytest.raises(InterruptedError):  # it is trained, though its weights were kept
        jobs.run(classifier, jobs.Site(shipped=False, anew=True))
    assert not any(store.weights_path(*pair).is_file() for pair in made)
    anew = sweep.Sweep([point], store.Store(tmp_path / "s"), "cpu", shipped=False)
    assert [len(stage) for stage in anew.preparations()] == [len(classifiers.names("mnist")), 1]


def test_no_scheduler_at_the_address_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(sweep.Sweep, "preparations", lambda self: [])
    monkeypatch.setattr(pools, "ANSWERS_WITHIN", "1s")
    with pytest.raises(DataError, match="no Dask scheduler"):
        sweep.run("exp2", preset="smoke", scheduler="tcp://127.0.0.1:1", folder=tmp_path)


@pytest.mark.parametrize(
    ("given", "quoted"),
    [
        ({"workers": 0}, "workers=0"),
        ({"where": "tpu"}, "tpu"),
        ({"where": "cuda:99"}, "cuda:99"),
        ({"where": "cuda:99999999999999999999"}, "cuda:99999999999999999999"),
        ({"given": {"gammmas": [0.0]}}, "gammmas"),
        ({"given": {"workers": 2}}, "unknown parameter 'workers'"),
        ({"given": {"preset": "quick"}}, "unknown parameter 'preset'"),
        ({"given": {"publish": True}}, "unknown parameter 'publish'"),
        ({"preset": "smokey"}, "smokey"),
    ],
)
def test_wrong_input_is_refused_before_any_work(given, quoted, tmp_path):
    with pytest.raises(InputError, match=quoted):
        sweep.run("exp2", **{"preset": "smoke", "folder": tmp_path / "store", **given})
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("workers", [0, -3])
def test_a_dry_run_refuses_what_the_run_would_refuse(workers, tmp_path):
    with pytest.raises(InputError, match=f"workers={workers}: expected at least 1"):
        sweep.command("exp2", preset="smoke", store=tmp_path, workers=workers, dry_run=True)


def test_a_store_that_is_or_lies_in_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "store"):
        with pytest.raises(InputError, match="--store"):
            sweep.command("exp2", preset="smoke", store=path, dry_run=True)


@pytest.mark.parametrize("failed", [False, True])
def test_the_command_ends_with_1_and_names_the_points_that_failed_before(tmp_path, capsys, failed):
    kept_points = store.Store(tmp_path)
    for key, point in sweep.Sweep(settings.plan("exp2", "smoke"), kept_points, "cpu").keys.items():
        row = dict.fromkeys((*results.COLUMNS, "seconds"), 0.5) | {"config_hash": key}
        if failed and point.gamma:
            row = {"failed": "loss is nan at step 3", "config_hash": key}
        kept_points.put(key, {}, store.Outcome(row, [], np.zeros((0, 1, 1, 1), np.uint8), b""))
    status = sweep.command("exp2", preset="smoke", store=tmp_path, device="cpu", workers=1)
    said = capsys.readouterr().err
    assert status == int(failed)
    assert said.count("gamma=0.03 seed=0: failed, loss is nan at step 3") == 2 * failed
    assert said.count("failed") == 2 * failed


def test_dry_run_says_what_would_be_trained_and_how_long(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(jobs, "time_point", lambda point, where: 30.0)
    monkeypatch.setattr(jobs, "time_start", lambda point, where: 60.0)
    arguments = {"preset": "smoke", "store": tmp_path, "workers": 2, "device": "cpu"}
    assert sweep.command("exp2", dry_run=True, assignments=["steps=7"], **arguments) == 0
    said = capsys.readouterr().out
    assert "4 points, 4 to train" in said
    assert "beta=0.03 gamma=0.03 seed=0" in said
    assert re.search(r"about (60 s|2 min) on 2 workers \(30 s a point\)", said)
    assert not list(tmp_path.glob("??"))


def test_how_long_a_point_takes_is_not_told_by_the_first_step_which_prepares_much():
    assert jobs._each([0.0, 30.0, 31.0, 32.0, 33.0]) == 1.0
    point = settings.plan("exp2", "smoke")[0]
    assert 0 < jobs.time_point(point, "cpu", steps=3) < 600


def test_an_override_is_named_as_a_variant_and_the_grid_is_not():
    def variant(**given):
        return settings.variant("exp2", "smoke", settings.resolve("exp2", "smoke", given))

    assert variant(critic="clip", gammas=[0.5]) == "critic=clip"
    assert variant(dataset="mnist", seeds=[4]) == ""


def test_the_store_keeps_the_first_of_two_equal_points(tmp_path):
    kept_points = store.Store(tmp_path)
    samples = np.zeros((1, 1, 2, 2), np.uint8)
    kept_points.put("ab" * 32, {"a": 1}, store.Outcome({"mse": 1.0}, [], samples, b"x"))
    kept_points.put("ab" * 32, {"a": 1}, store.Outcome({"mse": 2.0}, [], samples, b"x"))
    assert kept_points.row("ab" * 32) == {"mse": 1.0}
    folder = kept_points.folder("ab" * 32)
    assert json.loads((folder / "configuration.json").read_text()) == {"a": 1}
    assert kept_points.row("cd" * 32) is None
    (folder / "row.json").write_text("{")
    with pytest.raises(DataError, match="damaged"):
        kept_points.row("ab" * 32)
    (folder / "samples.npy").write_bytes(b"no array")
    with pytest.raises(DataError, match=r"samples\.npy: damaged"):
        kept_points.samples("ab" * 32)


SHOWN = dict.fromkeys(sweep.SHOWN, 0.5)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"mse": 1}', "alpha is None, a number was expected"),
        (json.dumps(SHOWN | {"seconds": "x"}), "seconds is 'x', a number was expected"),
        (json.dumps(SHOWN | {"mse": True}), "mse is True, a number was expected"),
        (json.dumps(SHOWN | {"psnr": [1]}), r"psnr is \[1\]"),
        (99_999 * '{"a":', "recursion"),
        (99_999 * "[", "recursion"),
        ("\0", "Expecting value"),
    ],
)
def test_a_damaged_row_is_one_line_that_names_its_file(tmp_path, capsys, content, said):
    kept = sweep.Sweep(settings.plan("exp2", "smoke"), store.Store(tmp_path), "cpu")
    folder = kept.store.folder(next(iter(kept.keys)))
    folder.mkdir(parents=True)
    (folder / "row.json").write_text(content)
    for dry in (True, False):
        with pytest.raises(DataError, match=rf"row\.json: damaged \(.*{said}") as caught:
            sweep.command("exp2", preset="smoke", store=tmp_path, workers=1, dry_run=dry)
        assert "\n" not in str(caught.value)
    assert (folder / "row.json").read_text() == content


def test_a_row_that_failed_needs_no_numbers(tmp_path):
    assert sweep._damage({"failed": "loss is nan at step 3"}) == ""


@pytest.mark.parametrize("content", ["null", "[]", None])
def test_a_point_without_a_row_is_missing_and_is_replaced(tmp_path, content):
    kept_points = store.Store(tmp_path)
    folder = kept_points.folder("ab" * 32)
    folder.mkdir(parents=True)
    (folder / "curve.json").write_text("[]")
    if content:
        (folder / "row.json").write_text(content)
    assert kept_points.row("ab" * 32) is None
    samples = np.zeros((1, 1, 2, 2), np.uint8)
    kept_points.put("ab" * 32, {}, store.Outcome({"mse": 1.0}, [], samples, b"x"))
    assert kept_points.row("ab" * 32) == {"mse": 1.0}


def test_what_a_kill_left_is_removed_by_the_next_point_and_what_is_written_stays(tmp_path):
    kept_points = store.Store(tmp_path)
    left = tmp_path / "ab" / ".new-left"
    (left / "point").mkdir(parents=True)
    samples = np.zeros((1, 1, 2, 2), np.uint8)
    with files.scratch(".new", tmp_path / "ab") as held:
        assert not left.exists()
        left.mkdir()
        kept_points.put("ab" * 32, {}, store.Outcome({"mse": 1.0}, [], samples, b"x"))
        assert held.exists()
        assert not left.exists()
        elsewhere = tmp_path / "cd" / ".new-left"  # nothing will be written there any more
        elsewhere.mkdir(parents=True)
        kept_points.tidy()
        assert held.exists()
        assert not elsewhere.exists()


def test_weights_of_another_network_are_said(tmp_path):
    with pytest.raises(DataError, match="weights of critic 12 do not fit") as caught:
        store.fill(torch.nn.Linear(2, 2), {"weight": torch.ones(3)}, "critic 12")
    assert "\n" not in str(caught.value)


def test_a_claim_ends_with_its_holder(tmp_path):
    kept_points = store.Store(tmp_path)
    code = (
        "import sys, time; from pathlib import Path; from cdplib.storage import store\n"
        "claim = store.Store(Path(sys.argv[1])).claim('ab'); print('held', flush=True)\n"
        "time.sleep(600)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline().strip() == "held"
    assert kept_points.claim("ab") is None
    holder.kill()
    holder.communicate()
    claim = kept_points.claim("ab")
    assert claim is not None
    claim.release()


def test_a_preset_s_points_are_ordered_seed_by_seed():
    points = settings.points("exp2", "full", settings.resolve("exp2", "full"))
    assert [p.seed for p in points] == sorted(p.seed for p in points)
