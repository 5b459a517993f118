// The budget picker: at each point of a certified grid C(D,P), both prices, and the plan p(x^|y).
"use strict";
window.cdpFigures ??= {};

window.cdpFigures.budget = (into, data) => {
  const { make, number, slider, readout, axes, ends, colour } = answers;
  const Ds = data.Ds.filter((_, k) => k % data.every === 0);
  const Ps = data.Ps.filter((_, k) => k % data.every === 0);
  const controls = make("div", { class: "answers-controls" });
  into.append(controls);
  const along = (title, values, digits, start) => slider(controls, title,
    { min: 0, max: values.length - 1, step: 1, value: start }, (k) => number(values[k], digits), draw);
  const first = Math.floor(Ds.length / 2);
  const D = along("Budget D (MSE)", Ds, 4, first);
  const P = along(`Budget P (${data.divergence})`, Ps, 5, Math.floor(Ps.length / 2));
  const say = readout(into, { C: "C: least error rate", gap: "proved to within",
    lam: "price of D: −∂C/∂D", mu: "price of P: −∂C/∂P" });
  const planes = make("div", { class: "answers-planes" });
  into.append(planes);
  const map = axes(planes, { x: ends(data.Ds), y: ends(data.Ps), xlabel: "D", ylabel: "P",
    title: "C by colour; none: infeasible" });
  const known = data.C.flat().filter((v) => v !== null), low = Math.min(...known), high = Math.max(...known);
  const edges = (values, k) => [(values[k] + (values[k - 1] ?? values[k])) / 2,
    (values[k] + (values[k + 1] ?? values[k])) / 2];
  data.Ds.forEach((_, i) => data.Ps.forEach((_, j) => {
    if (data.C[i][j] === null) return;
    const [a, b] = edges(data.Ds, i).map(map.X), [c, d] = edges(data.Ps, j).map(map.Y);
    map.layer.append(make("svg:rect", { x: a, y: d, width: b - a + 0.4, height: c - d + 0.4,
      fill: colour((data.C[i][j] - low) / (high - low || 1)) }));
  }));
  Ds.forEach((u) => Ps.forEach((v) => map.layer.append(map.dot(u, v, { r: 2, class: "answers-spot" }))));
  const ring = make("svg:circle", { r: 9, class: "answers-ring" });
  map.layer.append(ring);
  const law = axes(planes, { x: [data.x[0], data.x.at(-1)], y: [data.x[0], data.x.at(-1)],
    xlabel: "received y", ylabel: "restored x̂", title: "plan p(x̂|y)" });

  const nearest = (values, map_to, at) => values.reduce((best, v, k) =>
    Math.abs(map_to(v) - at) < Math.abs(map_to(values[best]) - at) ? k : best, 0);
  const pick = (event) => {
    if (event.type === "pointermove" && !event.buttons) return;
    const [u, v] = map.at(event);
    for (const [one, k] of [[D, nearest(Ds, (w) => w, u)], [P, nearest(Ps, (w) => w, v)]])
      if (one.value !== k) {
        one.input.value = k;
        one.input.dispatchEvent(new Event("input"));
      }
  };
  map.node.classList.add("answers-drag");
  map.node.addEventListener("pointerdown", pick);
  map.node.addEventListener("pointermove", pick);

  function draw() {
    const point = data.points[D.value][P.value];
    ring.setAttribute("transform", `translate(${map.X(Ds[D.value])},${map.Y(Ps[P.value])})`);
    law.layer.replaceChildren();
    if (!point) return void say({ C: "infeasible", gap: "–", lam: "–", mu: "–" });
    say({ C: number(point.value, 5), gap: (point.upper - point.lower).toExponential(0),
      lam: number(point.lam, 4), mu: number(point.mu, 4) });
    const side = (data.x.at(-1) - data.x[0]) / (data.x.length - 1);
    const [w, h] = [law.X(side) - law.X(0), law.Y(0) - law.Y(side)];
    for (let k = 0; k < point.plan.length; k += 3) {
      const [y, x, share] = point.plan.slice(k, k + 3);
      law.layer.append(make("svg:rect", { x: law.X(data.x[y]) - w / 2, y: law.Y(data.x[x]) - h / 2,
        width: w, height: h, class: "answers-cell", "fill-opacity": Math.sqrt(share / 1000) }));
    }
    law.layer.append(law.path(law.x, [data.threshold, data.threshold],
      { class: "answers-threshold", "stroke-dasharray": "2 4" }));
  }
  draw();
};
