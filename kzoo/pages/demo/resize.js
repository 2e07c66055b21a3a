// Grey images {values, height, width}, and their change of size as Pillow computes it.

function greyImage(height, width, values) {
  return { height, width, values: values || new Float32Array(height * width) };
}

// The triangle filter of Pillow's BILINEAR: it covers more than two pixels where an image shrinks.
// Returns for each place of the output where its pixels begin, and their weights.
function filterWeights(size, wanted) {
  const factor = size / wanted;
  const support = Math.max(factor, 1);
  return Array.from({ length: wanted }, (_, place) => {
    const centre = (place + 0.5) * factor;
    const start = Math.max(Math.trunc(centre - support + 0.5), 0);
    const end = Math.min(Math.trunc(centre + support + 0.5), size);
    const weights = [];
    for (let i = start; i < end; i++) {
      weights.push(Math.max(1 - Math.abs((i - centre + 0.5) / support), 0));
    }
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return { start, weights: weights.map((weight) => weight / total) };
  });
}

// Across first, then down, each only where its size changes.
function resize(image, height, width) {
  return resizeRows(resizeColumns(image, width), height);
}

function resizeColumns(image, width) {
  if (width === image.width) return image;
  const resized = greyImage(image.height, width);
  filterWeights(image.width, width).forEach(({ start, weights }, x) => {
    for (let y = 0; y < image.height; y++) {
      const from = y * image.width + start;
      let sum = 0;
      for (let i = 0; i < weights.length; i++) sum += image.values[from + i] * weights[i];
      resized.values[y * width + x] = sum;
    }
  });
  return resized;
}

function resizeRows(image, height) {
  if (height === image.height) return image;
  const { width } = image;
  const resized = greyImage(height, width);
  filterWeights(image.height, height).forEach(({ start, weights }, y) => {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let i = 0; i < weights.length; i++) {
        sum += image.values[(start + i) * width + x] * weights[i];
      }
      resized.values[y * width + x] = sum;
    }
  });
  return resized;
}

// An image that is no larger than so many pixels on its longer side.
function shrink(image, most) {
  const factor = Math.max(image.height, image.width) / most;
  if (factor <= 1) return image;
  const side = (length) => Math.max(roundHalfEven(length / factor), 1);
  return resize(image, side(image.height), side(image.width));
}

// Bytes in red, green, blue, alpha to grey ones, weighed as Pillow weighs colours (ITU-R BT.601).
function greyOf(bytes, height, width) {
  const grey = greyImage(height, width);
  for (let i = 0; i < grey.values.length; i++) {
    const [red, green, blue] = [bytes[4 * i], bytes[4 * i + 1], bytes[4 * i + 2]];
    grey.values[i] = 0.299 * red + 0.587 * green + 0.114 * blue;
  }
  return grey;
}

// The value below which a fraction of one or more values lie.
function quantile(values, fraction) {
  const sorted = Float32Array.from(values).sort();
  return sorted[Math.min(Math.floor(sorted.length * fraction), sorted.length - 1)];
}

const toByte = (value) => Math.min(Math.max(roundHalfEven(value), 0), 255);
