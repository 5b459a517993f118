// Figures that answer: controls, drawing in SVG and canvas, and what starts them. Nothing is loaded.
// A page holds <div class="answers" data-figure="name"> with its data as JSON and a still sentence.
"use strict";

window.cdpFigures ??= {}; // name -> (where to draw, data); scripts come in any order

const answers = (() => {
  // An HTML element, or with a name such as "svg:path" one of SVG.
  function make(name, attributes = {}, ...children) {
    const node = name.startsWith("svg:")
      ? document.createElementNS("http://www.w3.org/2000/svg", name.slice(4))
      : document.createElement(name);
    for (const [key, value] of Object.entries(attributes))
      if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else if (value !== null && value !== false) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }

  function number(value, digits) {
    if (value === Infinity) return "∞";
    if (!Number.isFinite(value)) return "–";
    return value.toFixed(digits).replace(/^-(?=0(\.0*)?$)/, "").replace("-", "−");
  }

  // -- controls: native ones, so that keyboard, touch and screen readers are served ---------------

  let count = 0;
  function labelled(into, title, control, ...after) {
    control.id = `answers-${++count}`;
    into.append(make("div", { class: "answers-control" },
      make("label", { for: control.id }, title), control, ...after));
    return control;
  }

  // A slider; write(value) is what it says beside itself, and to a screen reader.
  function slider(into, title, { min, max, step, value }, write, changed) {
    const said = make("output");
    const input = labelled(into, title,
      make("input", { type: "range", min, max, step, value }), said);
    const tell = () => {
      said.textContent = write(+input.value);
      input.setAttribute("aria-valuetext", said.textContent);
    };
    input.addEventListener("input", () => { tell(); changed(+input.value); });
    tell();
    const set = (to) => { input.value = to; tell(); }; // without changed()
    return { input, set, get value() { return +input.value; } };
  }

  function choice(into, title, options, changed) { // options: [value, text] pairs
    const input = labelled(into, title,
      make("select", {}, ...options.map(([value, text]) => make("option", { value }, text))));
    input.addEventListener("change", () => changed(input.value));
    return input;
  }

  function button(into, title, pressed) {
    const node = make("button", { type: "button", onclick: pressed }, title);
    into.append(node);
    return node;
  }

  // Check boxes; get() is the list of the values that are ticked.
  function ticks(into, title, options, changed) {
    const boxes = options.map(([value, text]) => {
      const box = make("input", { type: "checkbox", checked: "", value, onchange: () => changed() });
      return [box, make("label", {}, box, ` ${text}`)];
    });
    into.append(make("fieldset", { class: "answers-control" },
      make("legend", {}, title), ...boxes.map(([, label]) => label)));
    return () => boxes.filter(([box]) => box.checked).map(([box]) => +box.value);
  }

  // Named numbers; set({name: text}) writes them, and they are read out when they rest.
  function readout(into, names) {
    const cells = {};
    const list = make("dl", { class: "answers-readout", "aria-live": "polite" });
    for (const [name, title] of Object.entries(names)) {
      cells[name] = make("dd", { "data-name": name });
      list.append(make("div", {}, make("dt", {}, title), cells[name]));
    }
    into.append(list);
    return (texts) => {
      for (const [name, text] of Object.entries(texts)) cells[name].textContent = text;
    };
  }

  // -- drawing ------------------------------------------------------------------------------------

  // Round numbers between the ends, about as many as asked for.
  function round(low, high, wanted = 4) {
    const rough = (high - low) / wanted, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough) || rough;
    const found = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++)
      found.push(+(k * step).toPrecision(12));
    return found;
  }

  // Axes with labels; x and y are the ends. A layer for what moves, and maps to and from pixels.
  function axes(into, { x, y, xlabel, ylabel, title, width = 340, height = 260 }) {
    const [left, right, top, bottom] = [58, width - 10, title ? 26 : 10, height - 44];
    const layer = make("svg:g"), frame = make("svg:g", { class: "answers-axes" });
    const node = make("svg:svg", { viewBox: `0 0 ${width} ${height}`, role: "img" }, frame, layer);
    into.append(make("div", { class: "answers-plot" }, node));
    const plot = { node, layer, x, y, left, right, top, bottom };
    plot.X = (v) => left + (right - left) * (v - plot.x[0]) / (plot.x[1] - plot.x[0]);
    plot.Y = (v) => bottom - (bottom - top) * (v - plot.y[0]) / (plot.y[1] - plot.y[0]);
    plot.at = (event) => { // the values under a pointer
      const box = node.getBoundingClientRect(), scale = width / box.width;
      const across = ((event.clientX - box.left) * scale - left) / (right - left);
      const up = (bottom - (event.clientY - box.top) * scale) / (bottom - top);
      return [x[0] + across * (x[1] - x[0]), plot.y[0] + up * (plot.y[1] - plot.y[0])];
    };
    plot.relabel = (named) => {
      Object.assign(plot, named);
      const write = (text, attributes) => make("svg:text", attributes, text);
      frame.replaceChildren(
        make("svg:path", { d: `M${left},${top}V${bottom}H${right}` }),
        ...round(...plot.x).map((v) =>
          write(`${v}`.replace("-", "−"), { x: plot.X(v), y: bottom + 15, "text-anchor": "middle" })),
        ...round(...plot.y).map((v) =>
          write(`${v}`.replace("-", "−"), { x: left - 5, y: plot.Y(v) + 4, "text-anchor": "end" })),
        write(plot.xlabel, { x: (left + right) / 2, y: height - 8, "text-anchor": "middle" }),
        write(plot.ylabel, { x: 0, y: 0, "text-anchor": "middle",
          transform: `translate(13,${(top + bottom) / 2}) rotate(-90)` }),
        ...(plot.title ? [write(plot.title, { x: left, y: 15, class: "answers-title" })] : []));
      node.setAttribute("aria-label", `${plot.ylabel} over ${plot.xlabel}`);
    };
    plot.path = (xs, ys, attributes = {}) => make("svg:path", {
      d: xs.map((v, k) => `${k ? "L" : "M"}${plot.X(v).toFixed(1)},${plot.Y(ys[k]).toFixed(1)}`)
        .join(""), fill: "none", ...attributes });
    plot.dot = (u, v, attributes = {}) =>
      make("svg:circle", { cx: plot.X(u), cy: plot.Y(v), r: 5, ...attributes });
    plot.relabel({ xlabel, ylabel, title });
    return plot;
  }

  // The ends of some values with a little room around them.
  function ends(values, room = 0.06) {
    const low = Math.min(...values), high = Math.max(...values), more = room * (high - low || 1);
    return [low - more, high + more];
  }

  // viridis by nine of its colours, from 0 to 1.
  const MAP = ["#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962",
    "#addc30", "#fde725"];
  function colour(share) {
    const at = 8 * Math.min(1, Math.max(0, share)), k = Math.min(7, Math.floor(at));
    const parts = [1, 3, 5].map((i) => {
      const [a, b] = [MAP[k], MAP[k + 1]].map((c) => parseInt(c.slice(i, i + 2), 16));
      return Math.round(a + (at - k) * (b - a));
    });
    return `rgb(${parts})`;
  }

  // Grey pixels from 0 to 1 on a square canvas of that many pixels.
  function pixels(canvas, values) {
    const side = Math.round(Math.sqrt(values.length));
    canvas.width = canvas.height = side;
    const context = canvas.getContext("2d"), image = context.createImageData(side, side);
    for (let i = 0; i < values.length; i++) {
      const grey = 255 * Math.min(1, Math.max(0, values[i]));
      image.data.set([grey, grey, grey, 255], 4 * i);
    }
    context.putImageData(image, 0, 0);
  }

  // -- starting -----------------------------------------------------------------------------------

  // What scrolls can be reached by keyboard: wide tables and formulas, on a narrow screen.
  const SCROLLS = ".pst-scrollable-table-container, .answers-wide, .cell_output, div.math, "
    + "mjx-container[display='true']";
  function reachable() {
    for (const box of document.querySelectorAll(SCROLLS))
      if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
  }
  window.addEventListener("load", () => {
    reachable();
    window.MathJax?.startup?.promise?.then(reachable); // formulas come later
  });
  window.addEventListener("resize", reachable);

  function start() {
    for (const root of document.querySelectorAll(".answers[data-figure]")) {
      const data = JSON.parse(root.querySelector("script").textContent);
      const moving = make("div", { class: "answers-moving" });
      root.append(moving);
      window.cdpFigures[root.dataset.figure](moving, data);
      root.classList.add("answers-started");
    }
  }
  document.addEventListener("DOMContentLoaded", start);

  return { make, number, slider, choice, button, ticks, readout, axes, ends, colour, pixels };
})();
