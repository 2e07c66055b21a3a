// Layers and weights to probabilities: what kzoo/forward computes by NumPy, for one example.
// An array is {values, shape}: a Float32Array, and its shape without a batch axis.

const fround = Math.fround;
// Klambauer et al., "Self-Normalizing Neural Networks", 2017.
const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

function product(shape) {
  return shape.reduce((total, side) => total * side, 1);
}

// The error function. Source: Press et al., "Numerical Recipes", second edition, section 6.2: a
// Chebyshev fit whose relative error is below 1.2e-7 everywhere.
function erf(x) {
  const size = Math.abs(x);
  const t = 1 / (1 + 0.5 * size);
  const terms = [-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807,
    -1.13520398, 1.48851587, -0.82215223, 0.17087277];
  const sum = terms.reduceRight((rest, term) => term + t * rest, 0);
  const complement = t * Math.exp(sum - size * size);
  return x >= 0 ? 1 - complement : complement - 1;
}

function sigmoid(x) {
  return 0.5 * Math.tanh(0.5 * x) + 0.5;
}

function elu(x, alpha) {
  return x > 0 ? x : alpha * Math.expm1(x);
}

const ACTIVATIONS = {
  linear: (x) => x,
  relu: (x) => (x > 0 ? x : 0),
  gelu: (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2)),
  silu: (x) => x * sigmoid(x),
  elu: (x) => elu(x, 1),
  selu: (x) => SELU_SCALE * elu(x, SELU_ALPHA),
  tanh: Math.tanh,
  sigmoid,
};

// Changes values in place; softmax is over rows of the last axis, of a size.
function activate(name, values, size) {
  if (name === "softmax") {
    for (let start = 0; start < values.length; start += size) {
      softmax(values.subarray(start, start + size));
    }
  } else if (name !== "linear") {
    const activation = ACTIVATIONS[name];
    for (let i = 0; i < values.length; i++) values[i] = activation(values[i]);
  }
  return values;
}

function softmax(row) {
  let highest = -Infinity;
  for (const value of row) highest = Math.max(highest, value);
  let total = 0;
  for (let i = 0; i < row.length; i++) {
    row[i] = Math.exp(row[i] - highest);
    total += row[i];
  }
  for (let i = 0; i < row.length; i++) row[i] /= total;
}

function dense(x, settings, weights) {
  const size = x.shape[x.shape.length - 1];
  const units = settings.units;
  const kernel = weights[0];
  const rows = x.values.length / size;
  const values = new Float32Array(rows * units);
  const sums = new Float64Array(units);
  for (let row = 0; row < rows; row++) {
    if (settings.use_bias) sums.set(weights[1]);
    else sums.fill(0);
    for (let i = 0; i < size; i++) addScaled(sums, x.values[row * size + i], kernel, i * units);
    values.set(sums, row * units);
  }
  activate(settings.activation, values, units);
  return { values, shape: [...x.shape.slice(0, -1), units] };
}

// Adds to sums a row of a kernel times a value. Most inputs of an image are 0.
function addScaled(sums, value, kernel, start) {
  if (value === 0) return;
  for (let i = 0; i < sums.length; i++) sums[i] += value * kernel[start + i];
}

// The size of an output axis, and how many zeros stand before the input.
function reach(size, kernel, stride, padding) {
  if (padding === "valid") return [Math.floor((size - kernel) / stride) + 1, 0];
  const count = Math.ceil(size / stride);
  const missing = Math.max((count - 1) * stride + kernel - size, 0);
  return [count, Math.floor(missing / 2)];
}

function convolve(x, settings, weights) {
  const [height, width, channels] = x.shape;
  const [kernelHeight, kernelWidth] = settings.kernel_size;
  const [down, right] = settings.strides;
  const { filters, padding } = settings;
  const [rows, above] = reach(height, kernelHeight, down, padding);
  const [columns, before] = reach(width, kernelWidth, right, padding);
  const values = new Float32Array(rows * columns * filters);
  const sums = new Float64Array(filters);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      if (settings.use_bias) sums.set(weights[1]);
      else sums.fill(0);
      for (let i = 0; i < kernelHeight; i++) {
        const y = row * down + i - above;
        if (y < 0 || y >= height) continue;
        for (let j = 0; j < kernelWidth; j++) {
          const z = column * right + j - before;
          if (z < 0 || z >= width) continue;
          const from = (y * width + z) * channels;
          const kernelFrom = (i * kernelWidth + j) * channels;
          for (let channel = 0; channel < channels; channel++) {
            const start = (kernelFrom + channel) * filters;
            addScaled(sums, x.values[from + channel], weights[0], start);
          }
        }
      }
      values.set(sums, (row * columns + column) * filters);
    }
  }
  activate(settings.activation, values, filters);
  return { values, shape: [rows, columns, filters] };
}

// One product and one sum, as Keras computes it.
function normalize(x, settings, weights) {
  const [mean, variance] = weights.slice(-2);
  const size = mean.length;
  const factors = new Float32Array(size);
  const summands = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    factors[i] = 1 / Math.sqrt(variance[i] + settings.epsilon);
    if (settings.scale) factors[i] *= weights[0][i];
    summands[i] = -mean[i] * factors[i];
    if (settings.center) summands[i] += weights[settings.scale ? 1 : 0][i];
  }
  const values = x.values.map((value, i) => fround(value * factors[i % size]) + summands[i % size]);
  return { values, shape: x.shape };
}

function poolAll(x) {
  const channels = x.shape[2];
  const values = new Float32Array(channels).fill(-Infinity);
  x.values.forEach((value, i) => {
    if (value > values[i % channels]) values[i % channels] = value;
  });
  return { values, shape: [channels] };
}

// What a layer of each kind computes of {values, shape}, its settings and its weights.
const OPERATIONS = {
  BatchNormalization: normalize,
  Conv2D: convolve,
  Dense: dense,
  Dropout: (x) => x,
  Flatten: (x) => ({ values: x.values, shape: [x.values.length] }),
  GlobalMaxPooling2D: poolAll,
  ReLU: (x) => ({ values: x.values.map((value) => (value > 0 ? value : 0)), shape: x.shape }),
  Reshape: (x, settings) => ({ values: x.values, shape: settings.target_shape }),
};

// Returns the outputs of each layer, in order.
function forward(layers, x) {
  return layers.map((layer) => {
    x = OPERATIONS[layer.kind](x, layer.settings, layer.weights);
    return x;
  });
}

function decodeLayers(layers) {
  return layers.map((layer) => ({ ...layer, weights: layer.weights.map(decodeWeight) }));
}

function decodeWeight({ precision, content }) {
  const bytes = Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  if (precision === "float16") {
    return Float32Array.from({ length: bytes.length / 2 }, (_, i) =>
      decodeHalf(view.getUint16(2 * i, true)));
  }
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

// A float16 from its 16 bits. All weights are finite.
function decodeHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}
