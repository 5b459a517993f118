// The budget picker of real digits: at each of some budgets what an optimal restorer outputs.
"use strict";
window.cdpFigures ??= {};

window.cdpFigures.letters = (into, data) => {
  const { make, number, slider, readout, axes, ends, colour, pixels } = answers;
  const size = 28 * 28, count = data.labels.length;
  const images = (kept, n) => {
    const all = cdpNetworks().pixels(kept, n * size);
    return Array.from({ length: n }, (_, k) => all.subarray(k * size, (k + 1) * size));
  };
  const letters = images(data.letters, data.kinds.length);
  const controls = make("div", { class: "answers-controls" });
  into.append(controls);
  const along = (title, values, write, value) => slider(controls, title,
    { min: 0, max: values.length - 1, step: 1, value }, (k) => write(values[k]), draw);
  const P = along("Budget P (total variation)", data.Ps, (v) => v, data.Ps.length >> 1);
  const share = along("D above the least of this P", data.shares, (v) => `${+(100 * v).toPrecision(3)} %`, 0);
  const say = readout(into, { D: "budget D (MSE)", C: "C: least error rate", gap: "proved to within",
    lam: "price of D: −∂C/∂D", mu: "price of P: −∂C/∂P", digits: "outputs that are digits" });

  // What is chosen on the map; on its left no restoration meets both budgets.
  const solved = data.points.flatMap((row, i) => row.flatMap((m, j) => (m ? { ...m, i, j } : [])));
  const planes = make("div", { class: "answers-planes" });
  into.append(planes);
  const map = axes(planes, { x: ends([...data.edge[0], ...solved.map((m) => m.D)]), y: ends(data.Ps),
    xlabel: "D: mean squared error", ylabel: "P: total variation", title: "C by colour; grey: infeasible" });
  const rim = data.edge[0].map((D, i) => [map.X(D), map.Y(data.edge[1][i])]);
  const corners = [[map.left, rim.at(-1)[1]], [map.left, map.bottom], [rim[0][0], map.bottom], ...rim];
  map.layer.append(make("svg:polygon", { class: "answers-outside", points: corners.join(" ") }));
  const values = solved.map((m) => m.value), low = Math.min(...values), high = Math.max(...values);
  const places = solved.map((m) => [map.X(m.D), map.Y(data.Ps[m.i])]);
  solved.forEach((m, k) => map.layer.append(make("svg:circle", { class: "answers-mark", r: 5,
    cx: places[k][0], cy: places[k][1], fill: colour((m.value - low) / (high - low || 1)) })));
  const ring = make("svg:circle", { r: 9, class: "answers-ring" });
  map.layer.append(ring);
  const pick = (event) => {
    if (event.type === "pointermove" && !event.buttons) return;
    const at = map.at(event), [u, v] = [map.X(at[0]), map.Y(at[1])];
    const far = places.map(([x, y]) => Math.hypot(x - u, y - v));
    const { i, j } = solved[far.indexOf(Math.min(...far))];
    P.set(i);
    share.set(j);
    draw();
  };
  map.node.classList.add("answers-drag");
  map.node.addEventListener("pointerdown", pick);
  map.node.addEventListener("pointermove", pick);

  // A column a noisy digit: the digit behind it, what the restorer sees, and what it outputs.
  const grid = make("div", { class: "answers-letters" });
  into.append(grid);
  const row = (title) => data.labels.map((label) => {
    const canvas = make("canvas", { role: "img", "aria-label": `${title} ${label}` });
    const note = make("figcaption", {}, `${title} ${label}`);
    grid.append(make("figure", {}, canvas, note));
    return { canvas, note };
  });
  const [clean, noisy, output] = ["digit", "noisy", "output for"].map(row);
  images(data.clean, count).forEach((image, k) => pixels(clean[k].canvas, image));
  images(data.noisy, count).forEach((image, k) => pixels(noisy[k].canvas, image));

  function draw() {
    const point = data.points[P.value][share.value];
    ring.setAttribute("visibility", point ? "visible" : "hidden");
    grid.style.visibility = point ? "" : "hidden";
    if (!point) return void say({ D: "–", C: "not solved", gap: "–", lam: "–", mu: "–", digits: "–" });
    ring.setAttribute("transform", `translate(${map.X(point.D)},${map.Y(data.Ps[P.value])})`);
    say({ D: number(point.D, 5), C: number(point.value, 5), gap: (point.upper - point.lower).toExponential(0),
      lam: number(point.lam, 2), mu: number(point.mu, 2), digits: `${number(100 * point.digits, 0)} %` });
    output.forEach(({ canvas, note }, k) => {
      const letter = point.output[k], read = data.read[letter];
      pixels(canvas, letters[letter]);
      note.textContent = [`${number(100 * point.chances[k], 0)}\u00a0%`, data.kinds[letter],
        `read ${read} ${read === data.labels[k] ? "✓" : "✗"}`].join("\n");
    });
  }
  draw();
};
