"""Figures that answer, moved in Chromium from disk: the numbers they show are the library's."""

import re

import numpy as np
import pytest
import torch

from cdpbook import conditional, playground, runs
from cdpbook.figures import answers, budget, letters, linked
from cdpbook.statistics import shapes
from cdpbook.studies import real_digits, verdicts
from cdplib.experiments import classifiers, data, measures
from cdplib.experiments import conditional as one
from cdplib.storage import paths
from cdplib.theory import exact
from cdplib.theory.toy import GaussianToy

pytestmark = pytest.mark.browser

STATIC = paths.BOOK / "_static"
SCRIPTS = sorted(path.name for path in STATIC.glob("*.js"))


class Figure:
    """A page with nothing but one figure; what it asks for outside and its console are kept."""

    def __init__(self, browser, folder, html, **options):
        scripts = "".join(f'<script src="{(STATIC / name).as_uri()}"></script>' for name in SCRIPTS)
        style = f'<link rel="stylesheet" href="{(STATIC / "answers.css").as_uri()}">'
        file = folder / "figure.html"
        head = f"<!doctype html><html lang=en><meta charset=utf-8>{style}{scripts}"
        file.write_text(f"{head}<main>{html}</main>", encoding="utf-8")
        self.said, self.asked = [], []
        self.context = browser.new_context(viewport={"width": 800, "height": 900}, **options)
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("console", self._console)
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(file.as_uri(), wait_until="load")

    def _console(self, message):
        if message.type == "error":
            self.said.append(message.text)

    def number(self, name):
        """A shown number by its name in the readout."""
        return self.page.text_content(f"[data-name={name}]")

    def value(self, name):
        return float(self.number(name).replace("−", "-").split()[0])

    def slide(self, title, value):
        """Put the slider with that label at a value, as dragging it does."""
        slider = self.page.get_by_role("slider", name=re.compile(f"^{re.escape(title)}"))
        slider.evaluate("(e, v) => { e.value = v; e.dispatchEvent(new Event('input')) }", value)


@pytest.fixture
def show(chromium, tmp_path):
    opened = []

    def shown(html, **options):
        opened.append(Figure(chromium, tmp_path, html, **options))
        return opened[-1]

    yield shown
    for figure in opened:
        assert figure.said == []
        assert [
            url for url in figure.asked if not url.startswith(("file:", "blob:", "data:"))
        ] == []
        figure.context.close()


def _knob():
    return answers.moving("toy", {"gain": 0.8, "prior": 0.7}, "knob", "the still sentence")


# -- the toy's knob --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gain", "prior", "threshold"),
    [(0.8, 0.7, None), (0.5, 0.7, None), (1.5, 0.95, -3.0), (0.2, 0.05, 3.0), (1.21, 0.4, 0.1)],
)
def test_the_knob_shows_the_closed_forms_of_the_toy(show, gain, prior, threshold):
    figure, toy = show(_knob()), GaussianToy(prior=prior, threshold=threshold)
    figure.slide("Prior", prior)
    figure.slide("Gain", gain)
    if threshold is not None:
        figure.slide("Threshold", threshold)
    assert figure.value("D") == pytest.approx(float(toy.mse(gain)), abs=6e-5)
    assert figure.value("P") == pytest.approx(float(toy.divergence(gain)), abs=6e-6)
    assert figure.value("C") == pytest.approx(float(toy.error_rate(gain)), abs=6e-6)
    assert figure.value("t") == pytest.approx(toy.boundary, abs=6e-5)


def test_the_knobs_formulas_agree_with_the_library_to_many_digits(show):
    figure, toy = show(_knob()), GaussianToy(prior=0.3, threshold=0.2)
    for gain in (0.2, 0.8, 1.5):
        found = figure.page.evaluate(
            "a => (t => [t.mse(a), t.kl(a), t.error(a)])(cdpToy(0.3, 0.2))", gain
        )
        wanted = [toy.mse(gain), toy.divergence(gain), toy.error_rate(gain)]
        assert found == pytest.approx([float(value) for value in wanted], abs=1e-10)


def test_the_knob_turns_by_keyboard(show):
    figure = show(_knob())
    figure.page.get_by_role("slider", name="Gain a").focus()
    before = figure.value("D")
    figure.page.keyboard.press("ArrowRight")
    assert figure.value("D") == pytest.approx(float(GaussianToy().mse(0.81)), abs=6e-5) != before


# -- the budget picker -----------------------------------------------------------------------------


def test_the_picker_shows_certified_solutions_and_follows_the_pointer(show):
    problem = exact.gaussian_mixture_problem(16, threshold=1.2)
    least = float(exact.least_distortion(problem, "kl", np.inf))
    Ds, Ps = np.linspace(least + 0.01, 0.9, 6), np.linspace(0, 0.1, 6)
    surface = exact.surface(problem, "kl", Ds, Ps)
    figure = show(budget.picker(problem, "kl", surface, 1.2))
    figure.slide("Budget D", 2)
    figure.slide("Budget P", 1)
    found = exact.solve(problem, "kl", float(Ds[4]), float(Ps[2]))
    assert figure.value("C") == pytest.approx(found.value, abs=1e-5)
    assert figure.value("lam") == pytest.approx(found.lam, abs=1e-4)
    assert figure.value("mu") == pytest.approx(found.mu, abs=1e-4)
    cells = (found.plan / problem.py[:, None] > 0.005).sum()
    assert figure.page.locator(".answers-cell").count() == cells
    box = figure.page.locator(".answers-drag").bounding_box()
    figure.page.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + 0.82 * box["height"])
    assert surface.status[0, 0] == "infeasible"
    assert figure.number("C") == "infeasible"


# -- the budget picker of real digits --------------------------------------------------------------


@pytest.fixture(scope="module")
def few():
    sample = real_digits.sample(real_digits.Setting("logistic", 2.0, 40, 30))
    return sample, np.argsort(sample.weights.max(axis=1))[::5]


def test_the_picker_of_digits_shows_what_the_optimal_restorer_outputs(show, few):
    (sample, ys), problem = few, few[0].problem
    figure, outputs = show(letters.picker(sample, ys)), set()
    for i, j in ((0, 0), (3, 0), (5, 1), (7, 0)):
        figure.slide("Budget P", i)
        figure.slide("D above", j)
        P = letters.PS[i]
        D = (1 + letters.SHARES[j]) * float(exact.least_distortion(problem, "tv", P))
        found = exact.solve(problem, "tv", D, P)
        assert figure.value("D") == pytest.approx(D, abs=6e-6)
        assert figure.value("C") == pytest.approx(found.value, abs=6e-6)
        assert figure.value("lam") == pytest.approx(found.lam, rel=0.01, abs=6e-3)
        assert figure.value("mu") == pytest.approx(found.mu, rel=0.01, abs=6e-3)
        on_digits = 100 * found.plan[:, : len(sample.images)].sum()
        assert figure.value("digits") == pytest.approx(on_digits, abs=0.6)
        best = found.plan[ys].argmax(axis=1)
        wanted = np.rint(255 * sample.letters[best].clip(0, 1)).reshape(len(ys), -1)
        drawn = figure.page.eval_on_selector_all(
            ".answers-letters canvas",
            "all => all.map(c => Array.from(c.getContext('2d').getImageData(0, 0, 28, 28).data)"
            ".filter((_, i) => i % 4 === 0))",
        )
        assert np.abs(np.array(drawn[-len(ys) :]) - wanted).max() <= 1
        notes = figure.page.locator(".answers-letters figcaption").all_inner_texts()[-len(ys) :]
        for y, letter, note in zip(ys, best, notes, strict=True):
            right = problem.labels[letter] == sample.labels[sample.truth[y]]
            chance = 100 * found.plan[y, letter] / problem.py[y]
            assert float(note.split("\u00a0%")[0]) == pytest.approx(chance, abs=0.6)
            assert note.endswith(f"read {problem.labels[letter]} {'✓' if right else '✗'}")
        outputs.add(tuple(best))
    assert len(outputs) > 1  # other budgets, other images


def test_the_picker_of_digits_follows_the_pointer_and_the_keyboard(show, few):
    figure = show(letters.picker(*few))
    marks = figure.page.locator(".answers-mark")
    box = marks.nth(3).bounding_box()  # P = 0, the largest D
    figure.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    sliders = figure.page.get_by_role("slider")
    assert [sliders.nth(k).input_value() for k in (0, 1)] == ["0", "3"]
    before = figure.value("D")
    sliders.nth(1).focus()
    figure.page.keyboard.press("ArrowLeft")
    assert figure.value("D") == pytest.approx(before * 1.03 / 1.1, rel=1e-3)


def test_budgets_without_a_solution_show_nothing(show, few):
    (sample, ys), problem = few, few[0].problem
    given = letters.data(sample, ys, Ps=(0.0, 1.0), shares=(-0.5, 0.1))
    assert given["points"][0][0] is None
    assert exact.solve(problem, "tv", 1.1 * given["edge"][0][0], 0.0).status == "optimal"
    figure = show(answers.moving("letters", given, "picker", "still"))
    figure.slide("D above", 0)
    assert figure.number("C") == "not solved"
    assert not figure.page.is_visible(".answers-letters")


# -- linked planes ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def exp2():
    return runs.published_run("exp2")


def _counts(table, perception):
    points = shapes.cloud(table, perception)
    found = [shapes.count(points, kind, draws=0) for kind in (shapes.pairs, shapes.triples)]
    return [f"{count.contradict} of {count.compared}" for count in found]


@pytest.mark.parametrize("perception", ["p_judge", "p_critic", "sliced_w2", "frechet"])
def test_the_planes_count_what_the_verdicts_count(show, exp2, perception):
    figure, table = show(linked.planes(exp2)), verdicts.succeeded(exp2.table)
    titles = {name: title for name, title, _ in linked.data(exp2)["measures"]}
    figure.page.get_by_label("P is").select_option(label=titles[perception])
    assert [figure.number("E2"), figure.number("E3")] == _counts(table, perception)
    largest = table["beta"].max()
    figure.page.get_by_role("group", name="β").get_by_label(f"{largest:g}", exact=True).uncheck()
    rest = table[table["beta"] < largest]
    assert [figure.number("E2"), figure.number("E3")] == _counts(rest, perception)
    figure.page.get_by_role("group", name="seed").get_by_label("1").uncheck()
    rest = rest[rest["seed"] != 1]
    assert [figure.number("E2"), figure.number("E3")] == _counts(rest, perception)


def test_the_planes_of_several_experiments_are_chosen_among(show, exp2):
    both = {"exp2": exp2, "exp4": runs.published_run("exp4")}
    figure = show(linked.planes_of(both))
    for name, run in both.items():
        figure.page.get_by_label("Experiment").select_option(f"Exp-{name[3:]}")
        found = [figure.number("E2"), figure.number("E3")]
        assert found == _counts(verdicts.succeeded(run.table), "p_judge")
    assert figure.page.locator(".answers-strips img").count() == 0


def test_a_restorer_lights_up_in_all_planes_with_its_digits_readers_and_seeds(show, exp2):
    figure, points = show(linked.planes(exp2)), exp2.points()
    marks = figure.page.locator(".answers-plot").nth(0).locator(".answers-mark")
    target = points.iloc[7]
    marks.nth(7).scroll_into_view_if_needed()
    at = marks.nth(7).bounding_box()
    figure.page.mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    said = figure.page.inner_text(".answers-moving")
    assert f"β = {target['beta']:g}, γ = {target['gamma']:g}" in said
    for number in (f"{target['mse']:.5f}", f"{100 * target['error_rate_convbn']:.2f}"):
        assert number in said
    assert figure.page.locator(".answers-strips img").count() == 3
    for plot in range(3):
        here = figure.page.locator(".answers-plot").nth(plot)
        ring = here.locator(".answers-ring").get_attribute("transform")
        mark = here.locator(".answers-mark").nth(7)
        where = [float(mark.get_attribute(name)) for name in ("cx", "cy")]
        found = [float(value) for value in re.findall(r"[\d.]+", ring)]
        assert found == pytest.approx(where, abs=0.01)


# -- the playground --------------------------------------------------------------------------------


@pytest.fixture
def ground(show):
    return show(answers.moving("playground", playground.page(), "playground", "still"))


@pytest.fixture(scope="module")
def noisy():
    generator = torch.Generator().manual_seed(0)
    return torch.rand(12, 1, 28, 28, generator=generator) + torch.randn(
        12, 1, 28, 28, generator=generator
    )


_RUN = """([images, weights, reader]) => {
  const data = JSON.parse(document.querySelector('.answers script').textContent);
  const n = cdpNetworks(), run = (network, v) => Array.from(n.run(network, Float32Array.from(v)));
  const { layers, embed, ranges } = data.restorer;
  const network = reader === null
    ? n.at({ layers: n.unpack(layers), embed: n.unpack(embed), ranges }, weights)
    : n.unpack(data.readers[reader].layers);
  return images.map(v => run(network, v));
}"""


@pytest.mark.parametrize(
    "weights", [(0.0, 0.0), (0.0, 0.03), (0.1, 0.0), (0.1, 0.03), (0.01, 0.003), (0.023, 0.0086)]
)
def test_the_script_restores_as_torch_does(ground, noisy, weights):
    images, network = noisy.flatten(1).tolist(), conditional.restorer()
    found = torch.tensor(ground.page.evaluate(_RUN, [images, weights, None]))
    wanted = one.at(network, *weights)(noisy).flatten(1)
    assert (found - wanted).abs().max() < 1e-5
    other = one.at(network, 0.05, 0.02)(noisy).flatten(1)
    assert (found - other).abs().max() > 1e-2  # other weights would be noticed


@pytest.mark.parametrize("reader", range(len(playground.READERS)))
def test_the_script_reads_as_torch_does(ground, noisy, reader):
    images = one.at(conditional.restorer(), 0.03, 0.01)(noisy)
    found = torch.tensor(ground.page.evaluate(_RUN, [images.flatten(1).tolist(), None, reader]))
    wanted = measures.outputs(classifiers.get(list(playground.READERS)[reader], "mnist"), images)
    assert (found.softmax(1) - wanted.softmax(1)).abs().max() < 1e-4
    assert (found - wanted).abs().max() < 1e-4 * wanted.abs().max()


def _measured(figure):
    figure.page.wait_for_function(
        "document.querySelector('[data-name=count]').textContent === '200 of 200'", timeout=120_000
    )


def test_moving_the_weights_measures_200_digits_again_as_torch_does(ground):
    kept, page, network = playground.page(), ground.page, conditional.restorer()
    _measured(ground)
    ground.slide("β", kept["betas"].index(0.023))
    assert (ground.number("count"), ground.number("setD")) == ("0 of 200", "–")
    ground.slide("γ", kept["gammas"].index(0.01))
    ground.slide("Noise", 0.8)
    _measured(ground)
    noise = "n => Array.from({length: n}, (_, k) => Array.from(cdpNetworks().noise(1 + k, 784)))"
    drawn = torch.tensor(page.evaluate(noise, 200)).reshape(-1, 1, 28, 28)
    clean = torch.from_numpy(data.load("mnist").test.images[kept["numbers"]] / 255).float()
    restored = one.at(network, 0.023, 0.01)(clean + 0.8 * drawn)
    errors = ((restored - clean) ** 2).mean((1, 2, 3))
    assert ground.value("setD") == pytest.approx(float(errors.mean()), abs=2e-5)
    assert ground.value("D") == pytest.approx(float(errors[0]), abs=2e-5)
    for k, name in enumerate(playground.READERS):
        outputs = measures.outputs(classifiers.get(name, "mnist"), restored)
        wrong = measures.wrong(outputs, torch.tensor(kept["labels"])).mean()
        assert ground.value(f"C{k}") == pytest.approx(100 * float(wrong), abs=0.51)  # one near tie
        first, row = outputs[0].softmax(0), page.locator("tbody tr").nth(k)
        assert row.locator("td").nth(0).inner_text() == str(int(first.argmax()))
        assert float(row.locator("td").nth(1).inner_text()) == pytest.approx(
            float(first.max()), abs=2e-4
        )


def test_newer_weights_end_the_measuring_of_older_ones(ground):
    script = """async (asked) => {
      const said = [], measured = [], labels = Array(20).fill(0);
      const stub = { at: (_, weights) => weights, measure: ({ restorer, first, last }) => {
        measured.push(restorer);
        return { error: 0, wrong: [], count: last - first };
      } };
      await new Promise((whole) => {
        const ask = cdpMeasurer(stub, (state) => {
          said.push(state.id);
          if (state.id === asked && state.count === labels.length) whole();
        });
        ask({ digits: [0], labels, readers: [] });
        for (let id = 1; id <= asked; id++) ask({ id, weights: id });
      });
      return [said, measured];
    }"""
    said, measured = ground.page.evaluate(script, 30)
    assert said == [30, 30]  # at ten digits and at twenty
    assert measured == [30] * 10  # two at a time; nothing of the 29 before


def test_p_is_of_published_weights_and_says_of_which(ground):
    kept = playground.page()
    rows = conditional.published().query("part == 'grid'").set_index(["beta", "gamma"])
    for weights, nearest in (
        ((0.0, 0.0), (0.0, 0.0)),
        ((0.01, 0.03), (0.01, 0.03)),
        ((0.011, 0.023), (0.01, 0.03)),
        ((0.0011, 0.0), (0.0, 0.0)),
    ):
        ground.slide("β", kept["betas"].index(weights[0]))
        ground.slide("γ", kept["gammas"].index(weights[1]))
        assert ground.value("P") == pytest.approx(rows.loc[nearest, "p_judge"], abs=6e-4)
        whose = "these weights" if weights == nearest else "the nearest to these"
        place = f"β = {nearest[0]:g}, γ = {nearest[1]:g}: {whose}"
        assert ground.number("where") == place
        spread = one.features(torch.tensor([weights, *rows.index], dtype=torch.float32))
        gaps = (spread[1:] - spread[0]).norm(dim=1)
        assert tuple(rows.index[int(gaps.argmin())]) == nearest


def test_the_sliders_of_the_weights_turn_by_keyboard(ground):
    before = ground.value("D")
    ground.page.get_by_role("slider", name=re.compile("^β")).focus()
    ground.page.keyboard.press("End")
    assert ground.page.locator("output").nth(2).inner_text() == "0.1"
    assert ground.value("D") != before


def test_without_a_worker_the_page_measures_by_itself(show):
    html = answers.moving("playground", playground.page(), "playground", "still")
    figure = show(f"<script>Worker = class {{ constructor() {{ throw 0; }} }}</script>{html}")
    _measured(figure)


def test_a_digit_is_drawn_by_pointer_and_by_keyboard(ground):
    page = ground.page
    ink = "(e => e.getContext('2d').getImageData(0, 0, 28, 28).data.filter((v, i) => i % 4 == 0)"
    ink = f"{ink}.reduce((a, b) => a + b))(document.querySelector('canvas'))"
    page.get_by_role("button", name="Blank digit").click()
    assert page.evaluate(ink) == 0
    box = page.locator("canvas").first.bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 40, box["y"] + 90, steps=8)
    page.mouse.up()
    drawn = page.evaluate(ink)
    assert drawn > 1000
    page.locator("canvas").first.focus()
    for key in ("ArrowRight", "Enter", "ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    assert page.evaluate(ink) > drawn


# -- all of them -----------------------------------------------------------------------------------


def test_without_scripts_and_on_paper_the_still_sentence_is_left(show):
    figure = show(_knob(), java_script_enabled=False)
    assert figure.page.is_visible("text=the still sentence")
    moving = show(_knob())
    assert not moving.page.is_visible("text=the still sentence")
    moving.page.emulate_media(media="print")
    assert moving.page.is_visible("text=the still sentence")
    assert not moving.page.is_visible(".answers-moving")


def test_the_library_is_small_and_asks_for_nothing():
    texts = {name: (STATIC / name).read_text(encoding="utf-8") for name in SCRIPTS}
    assert {"answers.js", "networks.js", *(f"{name}.js" for name in answers.NAMES)} == set(texts)
    library = [texts["answers.js"], texts["networks.js"]]
    assert sum(text.count("\n") for text in library) < 600
    for text in texts.values():
        addresses = re.findall(r"https?://[^\"\s]+", text)
        assert set(addresses) <= {"http://www.w3.org/2000/svg"}
        assert not re.search(r"\b(fetch|XMLHttpRequest|import)\b\s*\(", text)


def test_data_cannot_end_the_script_that_holds_it():
    html = answers.moving("toy", {"a": "</script><b>", "n": [np.nan, np.float64(1)]}, "l", "s")
    assert html.count("</script>") == 1
    assert '"n":[null,1.0]' in html
