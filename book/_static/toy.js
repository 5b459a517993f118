// The toy's knob: two Gaussian classes in Gaussian noise, restored by a gain (cdplib.theory.toy).
"use strict";
window.cdpFigures ??= {};

// The closed forms for means -1 and 1, sigma and noise 1; KL by the library's own trapezoid rule.
function cdpToy(prior, threshold) {
  const shares = [prior, 1 - prior], means = [-1, 1], S = Math.SQRT2, t = threshold;
  const phi = (x) => { // standard normal distribution function to 1e-15: a series, or a fraction
    const a = Math.abs(x) / Math.SQRT2, square = a * a;
    let tail = 0;
    if (a < 2.5) {
      let term = a, sum = a;
      for (let n = 1; Math.abs(term) > 1e-17 * sum; n++) sum += (term *= -square / n) / (2 * n + 1);
      tail = 0.5 - sum / Math.sqrt(Math.PI);
    } else {
      for (let n = 60; n > 0; n--) tail = n / 2 / (a + tail);
      tail = Math.exp(-square) / Math.sqrt(Math.PI) / (a + tail) / 2;
    }
    return x > 0 ? 1 - tail : tail;
  };
  const density = (x, gain, k) => { // times the prior; of X where gain is null
    const scale = gain === null ? 1 : gain * S, mean = (gain ?? 1) * means[k];
    return shares[k] * Math.exp(-0.5 * ((x - mean) / scale) ** 2) / scale / Math.sqrt(2 * Math.PI);
  };
  const logMixture = (x, gain) => {
    const scale = gain === null ? 1 : gain * S;
    const [a, b] = means.map((m, k) =>
      Math.log(shares[k]) - 0.5 * ((x - (gain ?? 1) * m) / scale) ** 2 - Math.log(scale));
    const most = Math.max(a, b);
    return most + Math.log(Math.exp(a - most) + Math.exp(b - most)) - 0.5 * Math.log(2 * Math.PI);
  };
  const nodes = Array.from({ length: 801 }, (_, k) => -11 + 22 * k / 800);
  const logs = nodes.map((x) => logMixture(x, null)), step = 22 / 800;
  const weights = logs.map((v) => Math.exp(v) * step);
  return {
    density,
    mse: (a) => 2 * (1 - a) ** 2 + a * a,
    error: (a) => prior * phi((a * means[0] - t) / (a * S)) + (1 - prior) * phi((t - a * means[1]) / (a * S)),
    kl: (a) => Math.max(0, nodes.reduce((sum, x, k) =>
      sum + weights[k] * (logs[k] - logMixture(x, a)), 0)),
  };
}

window.cdpFigures.toy = (into, data) => {
  const { make, number, slider, button, readout, axes, colour } = answers;
  const controls = make("div", { class: "answers-controls" });
  into.append(controls);
  const two = (v) => number(v, 2), bayes = (prior) => 0.5 * Math.log(prior / (1 - prior));
  const fields = { step: 0.01 };
  const gain = slider(controls, "Gain a", { min: 0.2, max: 1.5, value: data.gain, ...fields }, two, draw);
  const prior = slider(controls, "Prior of class 1", { min: 0.05, max: 0.95, value: data.prior, ...fields },
    two, draw);
  const threshold = slider(controls, "Threshold t", { min: -3, max: 3, value: bayes(data.prior), ...fields },
    two, () => {});
  const buttons = make("div", { class: "answers-control" });
  controls.append(buttons);
  let exact = true; // the Bayes threshold of X, whatever the slider's steps
  threshold.input.addEventListener("input", () => { exact = false; draw(); });
  button(buttons, "Bayes threshold of X", () => { exact = true; draw(); });
  const say = readout(into, { D: "D: MSE", P: "P: KL(X ‖ X̂), nats", C: "C: error rate", t: "t" });
  const planes = make("div", { class: "answers-planes" });
  into.append(planes);
  const ends = [-5, 5];
  const laws = ["original signal X", "restored signal X̂ = aY"].map((title) =>
    axes(planes, { x: ends, y: [0, 0.45], xlabel: "value of the signal", ylabel: "density", title }));
  const map = axes(planes, { x: [0.6, 1.1], y: [0, 0.25], xlabel: "D (MSE)", ylabel: "P (nats)",
    title: "gains from 0.3 to 1.3, colour: C" });
  const curve = axes(planes, { x: [0.2, 1.5], y: [0, 0.5], xlabel: "gain a", ylabel: "C: error rate" });

  function draw() {
    if (exact) threshold.set(bayes(prior.value));
    const t = exact ? bayes(prior.value) : threshold.value, a = gain.value, toy = cdpToy(prior.value, t);
    const xs = Array.from({ length: 201 }, (_, k) => ends[0] + (ends[1] - ends[0]) * k / 200);
    laws.forEach((plot, which) => {
      const g = which ? a : null, parts = [0, 1].map((k) => xs.map((x) => toy.density(x, g, k)));
      const most = Math.max(0.45, 1.05 * Math.max(...parts.flat()));
      plot.relabel({ y: [0, most] });
      const wrong = parts.map((part, k) => { // class 1 right of t, class 2 left of it
        const kept = xs.map((x, i) => [x, part[i]]).filter(([x]) => (k ? x < t : x >= t));
        if (!kept.length) return "";
        const [u, v] = [kept.map(([x]) => x), kept.map(([, y]) => y)];
        return plot.path([u[0], ...u, u.at(-1)], [0, ...v, 0], { class: `answers-wrong answers-class${k}` });
      });
      plot.layer.replaceChildren(...wrong,
        ...parts.map((part, k) => plot.path(xs, part, { class: `answers-line answers-class${k}` })),
        plot.path([t, t], [0, most], { class: "answers-quiet", "stroke-dasharray": "2 4" }));
    });
    const gains = Array.from({ length: 51 }, (_, k) => 0.3 + k / 50), errors = gains.map(toy.error);
    const [low, high] = [Math.min(...errors), Math.max(...errors)];
    const [D, P, C] = [toy.mse(a), toy.kl(a), toy.error(a)];
    map.relabel({ y: [0, Math.max(0.25, 1.1 * P)], x: [0.6, Math.max(1.1, 1.05 * D)] });
    const points = gains.map((g, k) => [toy.mse(g), toy.kl(g), errors[k]])
      .filter(([u, v]) => u <= map.x[1] && v <= map.y[1]);
    map.layer.replaceChildren(...points.map(([u, v, error]) => map.dot(u, v, {
      r: 4, class: "answers-mark", fill: colour((error - low) / (high - low || 1)) })),
      map.dot(D, P, { r: 9, class: "answers-ring" }));
    const all = Array.from({ length: 66 }, (_, k) => 0.2 + 0.02 * k), rates = all.map(toy.error);
    curve.relabel({ y: answers.ends([...rates, C]) });
    curve.layer.replaceChildren(curve.path(all, rates, { class: "answers-line answers-class0" }),
      curve.dot(a, C, { r: 9, class: "answers-ring" }));
    say({ D: number(D, 4), P: number(P, 5), C: number(C, 5), t: number(t, 4) });
  }
  draw();
};
