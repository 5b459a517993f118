// The playground: one digit restored and read at once, and 200 of them measured in a worker.
"use strict";
window.cdpFigures ??= {};

// Measures the network at some weights on the digits, two at a time; a newer task ends an older one.
// It runs in a worker made from this text, or where there is none on the page itself.
function cdpMeasurer(networks, say) {
  let network, digits, labels, readers, newest = 0;
  return (message) => {
    if (message.digits) return void ({ network, digits, labels, readers } = message);
    newest = message.id;
    const restorer = networks.at(network, message.weights);
    const total = { error: 0, wrong: readers.map(() => 0), count: 0 };
    const more = () => {
      if (message.id !== newest) return;
      const first = total.count, last = Math.min(labels.length, first + 2);
      const part = networks.measure({ ...message, restorer, digits, labels, readers, first, last });
      total.error += part.error;
      total.wrong = total.wrong.map((n, k) => n + part.wrong[k]);
      total.count = last;
      if (last === labels.length || last % 10 === 0) say({ id: message.id, ...total });
      if (last < labels.length) setTimeout(more);
    };
    setTimeout(more);
  };
}

window.cdpFigures.playground = (into, data) => {
  const { make, number, slider, button, readout, axes, ends, colour, pixels } = answers;
  const networks = cdpNetworks();
  const [layers, embed] = [data.restorer.layers, data.restorer.embed].map(networks.unpack);
  const network = { layers, embed, ranges: data.restorer.ranges };
  const readers = data.readers.map((one) => networks.unpack(one.layers));
  const side = 28, size = side * side, labels = data.labels, names = data.readers.map((r) => r.title);
  const digits = networks.pixels(data.digits, labels.length * size);
  let clean = digits.slice(0, size), label = labels[0], which = 0, seed = 1, pen = false, cursor = [14, 14];
  let task = 0;

  // -- one digit --
  const controls = make("div", { class: "answers-controls" });
  const shown = make("div", { class: "answers-images" });
  into.append(controls, shown);
  const one = (v) => `${data.numbers[v]}, a ${labels[v]}`;
  slider(controls, "Test digit", { min: 0, max: labels.length - 1, step: 1, value: 0 }, one, (v) => {
    which = v;
    clean = digits.slice(v * size, (v + 1) * size);
    label = labels[v];
    change();
  });
  const noise = slider(controls, "Noise σ", { min: 0, max: 1.5, step: 0.05, value: 1 },
    (v) => number(v, 2), () => { change(); measure(); });
  const weight = (title, values) => slider(controls, title,
    { min: 0, max: values.length - 1, step: 1, value: 0 }, (k) => values[k], () => { mix(); restore(); });
  const beta = weight("β, on perception", data.betas);
  const gamma = weight("γ, on recognition", data.gammas);
  const weights = () => [data.betas[beta.value], data.gammas[gamma.value]];
  const buttons = make("div", { class: "answers-control" });
  controls.append(buttons);
  button(buttons, "Other noise", () => { seed += 1000; change(); measure(); });
  button(buttons, "Blank digit, to draw on", () => {
    clean = new Float32Array(size);
    label = null;
    change();
  });
  const canvases = ["digit (draw on it)", "with noise", "restored"].map((title) => {
    const canvas = make("canvas", { role: "img", "aria-label": title });
    shown.append(make("figure", {}, canvas, make("figcaption", {}, title)));
    return canvas;
  });
  const say = readout(into, { D: "D of this digit", ms: "milliseconds" });
  const body = make("tbody");
  into.append(make("div", { class: "answers-wide" }, make("table", { class: "answers-table" },
    make("caption", {}, "What each classifier reads"),
    make("thead", {}, make("tr", {}, ...["classifier", "restored", "probability", "noisy", "clean"]
      .map((name) => make("th", { scope: "col" }, name)))), body)));
  const rows = names.map((name) => {
    const cells = [0, 1, 2, 3].map(() => make("td"));
    body.append(make("tr", {}, make("th", { scope: "row" }, name), ...cells));
    return cells;
  });

  function paint([u, v]) {
    label = null;
    for (let r = 0; r < side; r++)
      for (let s = 0; s < side; s++) {
        const ink = 1.6 - Math.hypot(r + 0.5 - v, s + 0.5 - u);
        if (ink > 0) clean[r * side + s] = Math.max(clean[r * side + s], Math.min(1, ink));
      }
    change();
  }
  const board = canvases[0];
  Object.entries({
    tabindex: 0, role: "application",
    "aria-label": "digit to draw on: arrow keys move the pen, Enter puts it down or lifts it",
  }).forEach(([key, value]) => board.setAttribute(key, value));
  const under = (event) => {
    const box = board.getBoundingClientRect();
    return [side * (event.clientX - box.left) / box.width, side * (event.clientY - box.top) / box.height];
  };
  board.addEventListener("pointerdown", (event) => {
    board.setPointerCapture(event.pointerId);
    paint(under(event));
  });
  board.addEventListener("pointermove", (event) => { if (event.buttons) paint(under(event)); });
  board.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === "Enter") pen = !pen;
    else if (step) cursor = cursor.map((v, k) => Math.min(27.5, Math.max(0.5, v + step[k])));
    else return;
    event.preventDefault();
    if (pen) paint(cursor);
    else restore();
  });

  const read = (image) => readers.map((reader) => {
    const chances = networks.softmax(networks.run(reader, image)), most = Math.max(...chances);
    return { digit: chances.indexOf(most), most };
  });
  let noisy, before; // the image to restore, and what is read in it and in the digit itself
  function change() {
    const drawn = networks.noise(seed + which, size);
    noisy = clean.map((v, i) => v + noise.value * drawn[i]);
    before = [noisy, clean].map(read);
    restore();
  }
  function restore() {
    const started = performance.now(), restored = networks.run(restorer, noisy);
    const took = performance.now() - started;
    [clean, noisy, restored].forEach((image, k) => pixels(canvases[k], image));
    if (document.activeElement === board) { // where the pen is, for those who draw by keyboard
      const context = board.getContext("2d");
      context.fillStyle = pen ? "#D55E00" : "#56B4E9";
      context.fillRect(Math.floor(cursor[0]), Math.floor(cursor[1]), 1, 1);
    }
    const error = restored.reduce((sum, v, i) => sum + (v - clean[i]) ** 2, 0) / size;
    say({ D: number(error, 5), ms: number(took, 0) });
    read(restored).forEach(({ digit, most }, k) => {
      const texts = [digit, number(most, 4), ...before.map((image) => image[k].digit)];
      rows[k].forEach((cell, at) => { cell.textContent = texts[at]; });
      rows[k][0].className = label === null ? "" : digit === label ? "right" : "wrong";
    });
  }

  // -- many digits --
  into.append(make("p", { class: "answers-heading" }, `${labels.length} digits with these weights`));
  const sum = readout(into, {
    count: "digits so far", setD: "D", ...Object.fromEntries(names.map((n, k) => [`C${k}`, `C of ${n}`])),
    P: "P, as published", where: "published at",
  });
  const planes = make("div", { class: "answers-planes" });
  into.append(planes);
  const measured = data.measured.map((m) => ({ D: m.mse, P: m.p_judge, C: 100 * m.cnn1, ...m }));
  const trained = data.published.map((r) => ({ D: r.mse, P: r.p_judge, C: 100 * r.error_rate }));
  const titles = { D: "D: mean squared error", P: "P: judge's gap", C: "C of CNN-1 (%)" };
  const drawn = [["D", "P", "C"], ["P", "C", "D"], ["D", "C", "P"]].map(([x, y, z]) => {
    const [xs, ys, zs] = [x, y, z].map((q) => ends([...measured, ...trained].map((m) => m[q])));
    if (y === "C") [ys[0], ys[1]] = [ys[0] - 7, ys[1] + 7]; // what 200 digits may miss by
    const plot = axes(planes, { x: xs, y: ys, xlabel: titles[x], ylabel: titles[y],
      title: `colour: ${titles[z]}` });
    const shade = (m) => colour((m[z] - zs[0]) / (zs[1] - zs[0]));
    plot.layer.append(
      ...trained.map((m) => plot.dot(m[x], m[y], { r: 3, fill: "none", class: "answers-quiet" })),
      ...measured.map((m) => plot.dot(m[x], m[y], { fill: shade(m), class: "answers-mark" })));
    const ring = make("svg:circle", { r: 10, class: "answers-ring" });
    const now = make("svg:path", { class: "answers-now", d: "M-6,0H6M0,-6V6" });
    plot.layer.append(ring, now);
    return { plot, ring, now, x, y };
  });

  // Of the weights at which P is published the nearest, on the scale that the network sees.
  function nearest() {
    const [here, ...there] = [weights(), ...measured.map((m) => [m.beta, m.gamma])]
      .map((pair) => networks.features(pair, network.ranges));
    const far = there.map((v) => Math.hypot(v[0] - here[0], v[1] - here[1]));
    return measured[far.indexOf(Math.min(...far))];
  }
  let restorer, near; // of the present weights
  function mix() {
    restorer = networks.at(network, weights());
    near = nearest();
    const [b, g] = weights(), same = near.beta === b && near.gamma === g;
    sum({
      P: `${number(near.P, 3)} ± ${number(1.96 * near.p_judge_se, 3)}`,
      where: `β = ${near.beta}, γ = ${near.gamma}: ${same ? "these weights" : "the nearest to these"}`,
    });
    for (const { plot, ring, x, y } of drawn)
      ring.setAttribute("transform", `translate(${plot.X(near[x])},${plot.Y(near[y])})`);
    measure();
  }
  function mark(state) {
    const at = { D: state.error / state.count, P: near.P, C: 100 * state.wrong[1] / state.count };
    sum({
      count: `${state.count} of ${labels.length}`, setD: number(at.D, 5), // of none: a dash
      ...Object.fromEntries(names.map((_, k) => {
        const rate = state.wrong[k] / state.count;
        const bar = 196 * Math.sqrt(rate * (1 - rate) / state.count);
        return [`C${k}`, `${number(100 * rate, 1)} ± ${number(bar, 1)} %`];
      })),
    });
    if (!state.count) return;
    for (const { plot, now, x, y } of drawn) {
      const [u, v] = [[at[x], plot.x], [at[y], plot.y]] // on the edge where it is beyond
        .map(([value, [low, high]]) => Math.min(high, Math.max(low, value)));
      now.setAttribute("transform", `translate(${plot.X(u)},${plot.Y(v)})`);
    }
  }

  // The worker, from the functions' own text: a page on disk may load none from a file.
  const heard = ({ id, ...state }) => { if (id === task) mark(state); };
  let ask = cdpMeasurer(networks, heard);
  try {
    const text = `const ask = (${cdpMeasurer})((${cdpNetworks})(), postMessage);
      onmessage = (event) => ask(event.data);`;
    const worker = new Worker(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
    const alone = ask;
    worker.onmessage = (event) => heard(event.data);
    worker.onerror = () => { ask = alone; ask({ network, digits, labels, readers }); measure(); };
    ask = (message) => worker.postMessage(message);
  } catch { /* no workers: the page itself measures, between what it draws */ }
  ask({ network, digits, labels, readers });
  const nothing = { error: 0, wrong: names.map(() => 0), count: 0 };
  function measure() {
    mark(nothing); // what was shown is of other weights or other noise
    ask({ id: ++task, weights: weights(), sigma: noise.value, seed });
  }
  mix();
  change();
};
