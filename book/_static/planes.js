// Linked planes: a restorer lights up in all three, with its images, readers and seeds; and the counts
// of E2 and E3 over the weights and seeds that are ticked.
"use strict";
window.cdpFigures ??= {};

// Contradictions among points [D, P, C], as cdpbook.statistics.shapes.count finds them: a pair, of
// which one has no more D and P and more C; and a triple, where lots drawn between two do.
function cdpContradictions(points) {
  const pairs = { contradict: 0, compared: 0 }, triples = { contradict: 0, compared: 0 };
  const tally = (of, gain) => {
    of.compared++;
    if (gain > 1e-12) of.contradict++;
  };
  points.forEach((i, first) => points.forEach((j) => {
    if (i[0] <= j[0] && i[1] <= j[1] && (i[0] < j[0] || i[1] < j[1])) tally(pairs, j[2] - i[2]);
    points.slice(first + 1).forEach((k) => {
      let low = 0, high = 1, possible = true;
      for (const v of [0, 1]) { // weights w of i, 1 - w of k, with no more than j has
        const slope = i[v] - k[v], room = j[v] - k[v];
        if (slope > 0) high = Math.min(high, room / slope);
        else if (slope < 0) low = Math.max(low, room / slope);
        else possible &&= room >= 0;
      }
      if (possible && low <= high && low > 0 && high < 1)
        tally(triples, Math.max(...[low, high].map((w) => j[2] - w * i[2] - (1 - w) * k[2])));
    });
  }));
  return { pairs, triples };
}

window.cdpFigures.planes = (into, data) => {
  if (data.runs) { // of several experiments one at a time
    const names = Object.keys(data.runs), part = answers.make("div");
    const draw = (name) => {
      part.replaceChildren();
      window.cdpFigures.planes(part, data.runs[name]);
    };
    answers.choice(into, "Experiment", names.map((name) => [name, name]), draw);
    into.append(part);
    return draw(names[0]);
  }
  const { make, number, slider, choice, ticks, readout, axes, ends, colour } = answers;
  const P0 = 6, R0 = P0 + data.measures.length; // columns: beta, gamma, seed, failed, D, C, P.., C..
  const distinct = (k) => [...new Set(data.rows.map((row) => row[k]))].sort((a, b) => a - b);
  const betas = distinct(0), gammas = distinct(1), seeds = distinct(2);
  const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
  let points = [], at = 0, p = data.measures.findIndex(([name]) => name === data.perception);

  const controls = make("div", { class: "answers-controls" });
  const drawn = make("div", { class: "answers-planes" });
  into.append(controls, drawn);
  const measure = choice(controls, "P is", data.measures.map(([, title], k) => [k, title]), (k) => {
    p = +k;
    update();
  });
  measure.value = p;
  const kept = [["β", betas], ["seed", seeds]].map(([name, values]) =>
    ticks(controls, name, values.map((v) => [v, v]), () => update()));
  const said = readout(into, {
    points: "restorers", E2: "E2: pairs that contradict", E3: "E3: triples that contradict" });
  const picker = make("div", { class: "answers-controls" });
  into.append(picker);
  let chosen = null; // made anew where the number of points changes
  const detail = make("div");
  into.append(detail);

  const plots = [["D", "P", "C"], ["P", "C", "D"], ["D", "C", "P"]].map(([x, y, z]) => {
    const plot = axes(drawn, { x: [0, 1], y: [0, 1], xlabel: x, ylabel: y });
    const near = (event) => {
      const box = plot.node.getBoundingClientRect(), scale = 340 / box.width;
      const [u, v] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
      const far = points.map((m) => Math.hypot(plot.X(m[x]) - u, plot.Y(m[y]) - v));
      const best = far.indexOf(Math.min(...far));
      if (far[best] < 25 && best !== at) select(best);
    };
    plot.node.addEventListener("pointermove", near);
    plot.node.addEventListener("pointerdown", near);
    return { plot, x, y, z };
  });

  function update() {
    const [someBetas, someSeeds] = kept.map((get) => get());
    const rows = data.rows.filter((row) => someBetas.includes(row[0]) && someSeeds.includes(row[2])
      && row[P0 + p] !== null);
    const former = points[at];
    points = betas.flatMap((beta) => gammas.map((gamma) => {
      const own = rows.filter((row) => row[0] === beta && row[1] === gamma);
      return { beta, gamma, own, D: mean(own.map((r) => r[4])), P: mean(own.map((r) => r[P0 + p])),
        C: 100 * mean(own.map((r) => r[5])) };
    })).filter((m) => m.own.length);
    // Counted: trainings that did not fail, at weights that every seed has.
    const good = rows.filter((row) => !row[3]), number_of = new Set(good.map((row) => row[2])).size;
    const cloud = points.map((m) => m.own.filter((row) => !row[3]))
      .filter((own) => own.length && own.length === number_of)
      .map((own) => [4, P0 + p, 5].map((k) => mean(own.map((row) => row[k]))));
    const { pairs, triples } = cdpContradictions(cloud), enough = cloud.length > 2;
    const tell = (of) => (enough ? `${of.contradict} of ${of.compared}` : "too few restorers");
    said({ points: points.length, E2: tell(pairs), E3: tell(triples) });
    draw();
    const again = points.findIndex((m) => former && m.beta === former.beta && m.gamma === former.gamma);
    pick(Math.max(0, again));
  }

  function draw() {
    const names = { D: "D: mean squared error", C: `C of ${data.readers[0]} (%)`, P: data.measures[p][1] };
    for (const one of plots) {
      const { plot, x, y, z } = one, [xs, ys, zs] = [x, y, z].map((q) => points.map((m) => m[q]));
      if (!points.length) { plot.layer.replaceChildren(); continue; }
      const order = [...zs].sort((a, b) => a - b), shade = (v) =>
        colour(order.filter((w) => w < v).length / Math.max(1, order.length - 1));
      plot.relabel({ x: ends(xs), y: ends(ys), xlabel: names[x], ylabel: names[y],
        title: `colour: rank in ${z}` });
      const lines = betas.map((beta) => points.filter((m) => m.beta === beta))
        .filter((line) => line.length > 1)
        .map((line) => plot.path(line.map((m) => m[x]), line.map((m) => m[y]), { class: "answers-quiet" }));
      one.ring = make("svg:circle", { r: 10, class: "answers-ring" });
      plot.layer.replaceChildren(...lines, ...points.map((m, k) => plot.dot(xs[k], ys[k], {
        class: "answers-mark", fill: shade(zs[k]), r: 4 + 3 * betas.indexOf(m.beta) / betas.length })), one.ring);
    }
  }

  const name = (k) => `β = ${points[k].beta}, γ = ${points[k].gamma}`;
  function pick(k) { // the slider of restorers, for keyboards and for fingers
    picker.replaceChildren();
    chosen = null;
    at = k;
    if (!points.length) return void detail.replaceChildren();
    chosen = slider(picker, "Restorer", { min: 0, max: points.length - 1, step: 1, value: k }, name, show);
    show(k);
  }
  function select(k) {
    chosen.input.value = k;
    chosen.input.dispatchEvent(new Event("input"));
  }

  function show(k) {
    at = k;
    const m = points[k], key = `${m.beta},${m.gamma}`, digits = data.measures[p][2];
    for (const { plot, x, y, ring } of plots)
      ring.setAttribute("transform", `translate(${plot.X(m[x])},${plot.Y(m[y])})`);
    const row = (head, cells) => make("tr", {}, make("th", { scope: "row" }, head),
      ...cells.map((text) => make("td", {}, text)));
    const table = (title, heads, ...rows) => make("div", { class: "answers-wide" },
      make("table", { class: "answers-table" }, make("caption", {}, title), make("thead", {},
        make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)))),
      make("tbody", {}, ...rows)));
    const strip = (title, source) => make("figure", {}, make("img", { src: source, alt: title }),
      make("figcaption", {}, title));
    const wide = make("div", { class: "answers-strips" }), kept = data.images[key];
    if (data.original) wide.append(strip("original", data.original), strip("degraded", data.degraded));
    if (kept) wide.append(strip(`restored with ${name(k)}; ${data.readers[0]} reads `
      + `${kept.read.join(" ")}, right is ${data.labels.join(" ")}`, kept.source));
    const seedRow = (r) => row(`seed ${r[2]}${r[3] ? " (failed)" : ""}`,
      [number(r[4], 5), number(100 * r[5], 2), number(r[P0 + p], digits)]);
    const error = (r) => number(100 * mean(m.own.map((row) => row[r ? R0 + r - 1 : 5])), 2);
    detail.replaceChildren(wide, make("div", { class: "answers-strips" },
      table(`Its seeds, ${name(k)}`, ["", "D", "C (%)", "P"], ...m.own.map(seedRow),
        row("mean", [number(m.D, 5), number(m.C, 2), number(m.P, digits)])),
      table("Error of every reader", ["", "mean (%)"],
        ...data.readers.map((reader, r) => row(reader, [error(r)])))));
  }
  update();
};
