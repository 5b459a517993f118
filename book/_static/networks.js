// Small convolutional networks in plain JavaScript: what cdpbook.playground exports, run on one image.
// One function without outside names, so that a worker can be made from its text.
"use strict";

function cdpNetworks() {
  // erf to 1.5e-7: Abramowitz and Stegun (1964), 7.1.26.
  function erf(x) {
    const a = Math.abs(x), t = 1 / (1 + 0.3275911 * a);
    const series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t
      + 0.254829592) * t;
    return (x < 0 ? -1 : 1) * (1 - series * Math.exp(-a * a));
  }

  const activations = {
    none: (v) => v,
    relu: (v) => (v > 0 ? v : 0),
    gelu: (v) => 0.5 * v * (1 + erf(v * Math.SQRT1_2)),
    clip: (v) => Math.min(1, Math.max(0, v)),
  };

  const layers = {
    conv(x, l) {
      const { kernel: k, stride, pad, inputs, outputs } = l;
      const side = x.side + 2 * pad, out = Math.floor((side - k) / stride) + 1;
      const padded = new Float32Array(inputs * side * side);
      for (let c = 0; c < inputs; c++)
        for (let r = 0; r < x.side; r++) {
          const from = (c * x.side + r) * x.side;
          padded.set(x.v.subarray(from, from + x.side), (c * side + r + pad) * side + pad);
        }
      const v = new Float32Array(outputs * out * out), w = l.weight;
      for (let o = 0; o < outputs; o++) {
        const plane = o * out * out;
        v.fill(l.bias[o], plane, plane + out * out);
        for (let c = 0; c < inputs; c++)
          if (k === 3) { // nearly all of the work: nine taps at once
            const u = (o * inputs + c) * 9, a = w[u], b = w[u + 1], d = w[u + 2], e = w[u + 3];
            const f = w[u + 4], g = w[u + 5], h = w[u + 6], m = w[u + 7], q = w[u + 8];
            for (let r = 0; r < out; r++) {
              let p = (c * side + r * stride) * side, to = plane + r * out;
              for (const end = to + out; to < end; p += stride, to++)
                v[to] += a * padded[p] + b * padded[p + 1] + d * padded[p + 2]
                  + e * padded[p + side] + f * padded[p + side + 1] + g * padded[p + side + 2]
                  + h * padded[p + 2 * side] + m * padded[p + 2 * side + 1]
                  + q * padded[p + 2 * side + 2];
            }
          } else
            for (let t = 0; t < k * k; t++) {
              const i = Math.floor(t / k), j = t % k, weight = w[(o * inputs + c) * k * k + t];
              for (let r = 0; r < out; r++) {
                const from = (c * side + r * stride + i) * side + j, to = plane + r * out;
                for (let s = 0; s < out; s++) v[to + s] += weight * padded[from + s * stride];
              }
            }
      }
      return { v, side: out };
    },
    linear(x, l) {
      const v = Float32Array.from(l.bias), n = l.inputs;
      for (let o = 0; o < l.outputs; o++)
        for (let i = 0; i < n; i++) v[o] += l.weight[o * n + i] * x.v[i];
      return { v, side: 1 };
    },
    pool(x, l) { // windows of 2 by 2; those over the edge hold what is inside
      const out = l.ceil ? Math.ceil(x.side / 2) : Math.floor(x.side / 2), n = x.side;
      const channels = x.v.length / n / n, v = new Float32Array(channels * out * out);
      for (let c = 0, to = 0; c < channels; c++)
        for (let r = 0; r < out; r++)
          for (let s = 0; s < out; s++, to++) {
            const inside = [];
            for (const [i, j] of [[0, 0], [0, 1], [1, 0], [1, 1]])
              if (2 * r + i < n && 2 * s + j < n)
                inside.push(x.v[(c * n + 2 * r + i) * n + 2 * s + j]);
            v[to] = l.mean ? inside.reduce((a, b) => a + b) / inside.length : Math.max(...inside);
          }
      return { v, side: out };
    },
    unshuffle: (x) => shuffled(x, x.side / 2, true), // one image to its four phases ...
    shuffle: (x) => shuffled(x, x.side, false), // ... and back
  };

  function shuffled(x, low, apart) {
    const v = new Float32Array(4 * low * low);
    for (let r = 0; r < 2 * low; r++)
      for (let s = 0; s < 2 * low; s++) {
        const fine = r * 2 * low + s;
        const phase = ((r % 2) * 2 + (s % 2)) * low * low + (r >> 1) * low + (s >> 1);
        if (apart) v[phase] = x.v[fine];
        else v[fine] = x.v[phase];
      }
    return { v, side: apart ? low : 2 * low };
  }

  // The output of a network (a list of layers) for an image of side * side pixels.
  function run(network, image) {
    let x = { v: image, side: Math.round(Math.sqrt(image.length)) };
    for (const layer of network) {
      x = layers[layer.kind](x, layer);
      const act = activations[layer.activation];
      if (layer.activation !== "none") for (let i = 0; i < x.v.length; i++) x.v[i] = act(x.v[i]);
    }
    return x.v;
  }

  // Weights [beta, gamma] as the one network sees them: linear up to the least, then logarithmic.
  function features(weights, ranges) {
    return weights.map((w, k) =>
      Math.log1p(w / ranges[k][0]) / Math.log1p(ranges[k][1] / ranges[k][0]));
  }

  // The one network at its weights [beta, gamma]: the scale and the shift that FiLM gives each
  // output are folded into the convolution before it, so that an image costs no more than without.
  function at({ layers: inner, embed, ranges }, weights) {
    const code = run(embed, Float32Array.from(features(weights, ranges)));
    return inner.map((layer) => {
      if (!layer.film) return layer;
      const n = layer.outputs, film = run([layer.film], code), each = layer.weight.length / n;
      return { ...layer, weight: layer.weight.map((w, i) => w * (1 + film[Math.floor(i / each)])),
        bias: layer.bias.map((b, o) => b * (1 + film[o]) + film[n + o]) };
    });
  }

  function bytes(base64) {
    return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  }

  // Grey values from 0 to 1 of bytes in which each 0 is followed by how many 0s there are.
  function pixels(base64, count) {
    const kept = bytes(base64), v = new Float32Array(count);
    for (let i = 0, to = 0; i < kept.length; i++)
      if (kept[i]) v[to++] = kept[i] / 255;
      else to += kept[++i];
    return v;
  }

  // A number of half precision by its 16 bits.
  function half(bits) {
    const power = (bits >> 10) & 31, rest = bits & 1023;
    return (bits >> 15 ? -1 : 1) * (power ? (1024 + rest) * 2 ** (power - 25) : rest * 2 ** -24);
  }

  // What was exported: weights of 2 or 3 bytes, with a scale for each output.
  function unpack(exported) {
    return exported.map((layer) => {
      if (!layer.weight) return layer;
      const kept = bytes(layer.weight), size = layer.bytes, n = kept.length / size;
      const weight = new Float32Array(n), shift = 32 - 8 * size;
      for (let i = 0; i < n; i++) {
        let bits = 0;
        for (let k = 0; k < size; k++) bits |= kept[i * size + k] << (8 * k + shift);
        bits >>= shift; // its sign
        weight[i] = (layer.half ? half(bits) : bits) * layer.scale[Math.floor(i * layer.outputs / n)];
      }
      const film = layer.film && unpack([layer.film])[0];
      return { ...layer, film, weight, bias: Float32Array.from(layer.bias) };
    });
  }

  function softmax(logits) {
    const most = Math.max(...logits), e = Array.from(logits, (v) => Math.exp(v - most));
    const sum = e.reduce((a, b) => a + b);
    return e.map((v) => v / sum);
  }

  // Normal noise of a seed: mulberry32, then Box and Muller.
  function noise(seed, n) {
    const v = new Float32Array(n);
    const next = () => {
      seed = (seed + 0x6d2b79f5) | 0;
      let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
    for (let i = 0; i < n; i += 2) {
      const radius = Math.sqrt(-2 * Math.log(1 - next())), angle = 2 * Math.PI * next();
      v[i] = radius * Math.cos(angle);
      if (i + 1 < n) v[i + 1] = radius * Math.sin(angle);
    }
    return v;
  }

  // Sums over test digits from first to last: squared error per pixel, and each reader's errors.
  function measure({ restorer, readers, digits, labels, sigma, seed, first, last }) {
    const pixels = digits.length / labels.length, wrong = readers.map(() => 0);
    let error = 0;
    for (let n = first; n < last; n++) {
      const clean = digits.subarray(n * pixels, (n + 1) * pixels);
      const drawn = noise(seed + n, pixels);
      const restored = run(restorer, clean.map((v, i) => v + sigma * drawn[i]));
      restored.forEach((v, i) => { error += (v - clean[i]) ** 2 / pixels; });
      readers.forEach((reader, k) => {
        const logits = run(reader, restored);
        if (logits.indexOf(Math.max(...logits)) !== labels[n]) wrong[k]++;
      });
    }
    return { error, wrong, count: last - first };
  }

  return { run, features, at, pixels, unpack, softmax, noise, measure };
}
