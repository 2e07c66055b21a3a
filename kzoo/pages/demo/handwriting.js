// A picture of a handwritten sign to an image as those of MNIST: light ink on black, in the middle.
// It has the names and the steps of kzoo/prediction/handwriting.py and components.py, which say why.

const LOOKED_AT = 192;
const ROUNDS = 8;
const LEAST_CONTRAST = 20;
const NOISE = 3;
const SPECK = 0.04;
const THIN_STROKE = 0.07;
const USUAL_STROKE = 0.12;

// `grey` is {values, height, width} of 0 to 255; `how` is {ink, centred}. Returns the same kind of
// image, whole numbers, of a height and width; null where no ink was found.
function prepareHandwriting(grey, how, height, width) {
  if (grey.height === height && grey.width === width && isReady(grey)) {
    return greyImage(height, width, grey.values.map(Math.trunc));
  }
  const small = shrink(grey, LOOKED_AT);
  const ground = fitGround(everySecond(small));
  const { ink, isDark } = findInk(small, groundAt(ground, small.height, small.width));
  const least = threshold(ink.values);
  if (least === null) return null;
  const mask = greyImage(ink.height, ink.width, ink.values.map((value) => (value > least ? 1 : 0)));
  const parts = largestComponents(spread(mask, 1));
  mask.values.forEach((value, i) => {
    mask.values[i] = value * parts.values[i];
  });
  const [top, bottom, left, right] = box(mask, grey.height, grey.width);
  const full = groundAt(ground, grey.height, grey.width);
  const wiped = spread(mask, Math.floor(Math.max(mask.height, mask.width) / 48) + 1);
  const near = resize(wiped, grey.height, grey.width);
  const cut = greyImage(bottom - top, right - left);
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const i = y * grey.width + x;
      const rise = isDark ? full.values[i] - grey.values[i] : grey.values[i] - full.values[i];
      cut.values[(y - top) * cut.width + x - left] = Math.max(rise, 0) * near.values[i];
    }
  }
  const usual = withUsualStrokes(cut, mask);
  const scale = how.ink / Math.max(cut.height, cut.width);
  return place(scaled(usual, cut, scale), how, height, width);
}

// Ink brought to the size of a box times a scale.
function scaled(ink, box, scale) {
  const side = (length) => Math.max(roundHalfEven(length * scale), 1);
  return resize(ink, side(box.height), side(box.width));
}

function isReady({ values, height, width }) {
  const border = [];
  for (let x = 0; x < width; x++) border.push(values[x], values[(height - 1) * width + x]);
  for (let y = 0; y < height; y++) border.push(values[y * width], values[y * width + width - 1]);
  const highest = values.reduce((most, value) => Math.max(most, value), 0);
  return quantile(border, 0.5) < LEAST_CONTRAST && highest > 2 * LEAST_CONTRAST;
}

function everySecond({ values, height, width }) {
  const halved = greyImage(Math.ceil(height / 2), Math.ceil(width / 2));
  for (let y = 0; y < halved.height; y++) {
    for (let x = 0; x < halved.width; x++) {
      halved.values[y * halved.width + x] = values[2 * y * width + 2 * x];
    }
  }
  return halved;
}

// From -1 to 1.
function places(count) {
  return Float32Array.from({ length: count }, (_, i) => (count > 1 ? -1 + (2 * i) / (count - 1) : -1));
}

function terms(x, y) {
  return [1, x, y, x * x, x * y, y * y];
}

// The six coefficients of a quadratic surface through the ground: least squares, again and again
// without what lies far from the surface.
function fitGround({ values, height, width }) {
  const [ys, xs] = [places(height), places(width)];
  let isGround = new Uint8Array(values.length).fill(1);
  let coefficients = [quantile(values, 0.5), 0, 0, 0, 0, 0];
  const distances = new Float32Array(values.length);
  for (let round = 0; round < ROUNDS; round++) {
    const ground = groundAt(coefficients, height, width).values;
    values.forEach((value, i) => {
      distances[i] = Math.abs(value - ground[i]);
    });
    const deviation = 1.4826 * quantile(distances.filter((_, i) => isGround[i]), 0.5);
    const most = Math.max(NOISE * deviation, LEAST_CONTRAST / 4);
    isGround = Uint8Array.from(distances, (distance) => (distance <= most ? 1 : 0));
    if (isGround.reduce((count, one) => count + one, 0) < coefficients.length) break;
    coefficients = leastSquares(values, isGround, xs, ys);
  }
  return coefficients;
}

function leastSquares(values, isChosen, xs, ys) {
  const equations = Array.from({ length: 6 }, (_, i) =>
    Array.from({ length: 7 }, (__, j) => (i === j ? 1e-3 : 0)));
  values.forEach((value, i) => {
    if (!isChosen[i]) return;
    const row = [...terms(xs[i % xs.length], ys[Math.floor(i / xs.length)]), value];
    for (let j = 0; j < 6; j++) for (let k = 0; k < 7; k++) equations[j][k] += row[j] * row[k];
  });
  return solve(equations);
}

// Gauss's elimination. Each equation is its factors and, last, what they come to.
function solve(equations) {
  const size = equations.length;
  for (let i = 0; i < size; i++) {
    let pivot = i;
    for (let j = i + 1; j < size; j++) {
      if (Math.abs(equations[j][i]) > Math.abs(equations[pivot][i])) pivot = j;
    }
    [equations[i], equations[pivot]] = [equations[pivot], equations[i]];
    for (let j = 0; j < size; j++) {
      if (j === i) continue;
      const factor = equations[j][i] / equations[i][i];
      equations[j] = equations[j].map((value, k) => value - factor * equations[i][k]);
    }
  }
  return equations.map((equation, i) => equation[size] / equation[i]);
}

function groundAt(coefficients, height, width) {
  const [ys, xs] = [places(height), places(width)];
  const [a, b, c, d, e, f] = coefficients;
  const ground = greyImage(height, width);
  for (let row = 0, i = 0; row < height; row++) {
    const y = ys[row];
    for (let column = 0; column < width; column++, i++) {
      const x = xs[column];
      ground.values[i] = a + b * x + c * y + d * x * x + e * x * y + f * y * y;
    }
  }
  return ground;
}

// How far the ink stands out, and whether it is darker than the ground.
function findInk(grey, ground) {
  const rise = grey.values.map((value, i) => value - ground.values[i]);
  const total = rise.reduce((sum, value) => sum + (Math.abs(value) > LEAST_CONTRAST ? value : 0), 0);
  const isDark = total < 0;
  const values = rise.map((value) => Math.max(isDark ? -value : value, 0));
  return { ink: greyImage(grey.height, grey.width, values), isDark };
}

// What parts ink from ground (Otsu, 1979); null where nothing stands out.
function threshold(ink) {
  const counts = new Array(128).fill(0);
  for (const value of ink) if (value <= 256) counts[Math.min(Math.floor(value / 2), 127)] += 1;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const all = counts.reduce((sum, count, i) => sum + count * (2 * i + 1), 0);
  let [below, sum, best, most] = [0, 0, 0, -1];
  counts.forEach((count, i) => {
    below += count;
    sum += count * (2 * i + 1);
    const above = total - below;
    const between = below * above * (sum / below - (all - sum) / above) ** 2;
    if (between > most) [best, most] = [i, between];
  });
  const edge = 2 * (best + 1);
  let [stands, standing] = [0, 0];
  for (const value of ink) if (value > edge) [stands, standing] = [stands + value, standing + 1];
  if (standing === 0 || stands / standing < LEAST_CONTRAST) return null;
  return Math.max(edge, LEAST_CONTRAST / 2);
}

// A mask without its small connected parts. Places are connected to their eight neighbours.
function largestComponents(mask) {
  const { values, height, width } = mask;
  const part = new Int32Array(values.length).fill(-1);
  const areas = [];
  for (let first = 0; first < values.length; first++) {
    if (!values[first] || part[first] >= 0) continue;
    const waiting = [first];
    part[first] = areas.length;
    let area = 0;
    while (waiting.length) {
      const i = waiting.pop();
      const [y, x] = [Math.floor(i / width), i % width];
      area += 1;
      for (let v = Math.max(y - 1, 0); v <= Math.min(y + 1, height - 1); v++) {
        for (let u = Math.max(x - 1, 0); u <= Math.min(x + 1, width - 1); u++) {
          const j = v * width + u;
          if (values[j] && part[j] < 0) {
            part[j] = areas.length;
            waiting.push(j);
          }
        }
      }
    }
    areas.push(area);
  }
  const least = SPECK * areas.reduce((most, area) => Math.max(most, area), 0);
  return greyImage(height, width, values.map((_, i) => (areas[part[i]] >= least ? 1 : 0)));
}

// First and last row, then first and last column, that have anything set.
function bounds({ values, width }) {
  let [top, bottom, left, right] = [Infinity, -1, Infinity, -1];
  values.forEach((value, i) => {
    if (!value) return;
    const [y, x] = [Math.floor(i / width), i % width];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    [left, right] = [Math.min(left, x), Math.max(right, x)];
  });
  return [top, bottom, left, right];
}

// Top, bottom, left and right of the ink in a picture of another size.
function box(mask, height, width) {
  const [top, bottom, left, right] = bounds(mask);
  const [down, across] = [height / mask.height, width / mask.width];
  return [
    Math.trunc(top * down), Math.min(Math.ceil((bottom + 1) * down), height),
    Math.trunc(left * across), Math.min(Math.ceil((right + 1) * across), width),
  ];
}

// Ink whose strokes are not much thinner than those of MNIST.
function withUsualStrokes(ink, mask) {
  const [top, bottom, left, right] = bounds(mask);
  const stroke = strokeWidth(mask) / Math.max(bottom - top + 1, right - left + 1);
  if (stroke >= THIN_STROKE) return ink;
  const small = shrink(ink, LOOKED_AT);
  const longest = Math.max(small.height, small.width);
  return spread(small, roundHalfEven(((USUAL_STROKE - stroke) * longest) / 2));
}

// The mean width of strokes in pixels: twice the area over the outline's length.
function strokeWidth({ values, height, width }) {
  const at = (y, x) => (y >= 0 && x >= 0 && y < height && x < width ? values[y * width + x] : 0);
  let [edges, area] = [0, 0];
  for (let y = 0; y <= height; y++) {
    for (let x = 0; x <= width; x++) {
      area += at(y, x);
      edges += (at(y, x) !== at(y - 1, x) ? 1 : 0) + (at(y, x) !== at(y, x - 1) ? 1 : 0);
    }
  }
  return (2 * area) / ((edges * Math.PI) / 4);
}

// The largest value within a distance of each place.
function spread({ values, height, width }, distance) {
  const wide = greyImage(height, width, values.slice());
  for (let down = -distance; down <= distance; down++) {
    const across = Math.floor(Math.sqrt(distance * distance - down * down));
    for (let right = -across; right <= across; right++) {
      for (let y = Math.max(-down, 0); y < Math.min(height, height - down); y++) {
        for (let x = Math.max(-right, 0); x < Math.min(width, width - right); x++) {
          const value = values[(y + down) * width + x + right];
          if (value > wide.values[y * width + x]) wide.values[y * width + x] = value;
        }
      }
    }
  }
  return wide;
}

// An image with the ink in its middle, its strongest places white.
function place(ink, how, height, width) {
  const rows = Math.min(ink.height, height);
  const columns = Math.min(ink.width, width);
  const at = (y, x) => ink.values[y * ink.width + x];
  const kept = greyImage(rows, columns);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) kept.values[y * columns + x] = at(y, x);
  }
  const highest = kept.values.reduce((most, value) => Math.max(most, value), 0);
  const strong = kept.values.filter((value) => value > highest / 2);
  const strongest = highest > 0 ? quantile(strong, 0.75) : 1;
  const white = kept.values.map((value) => Math.min(Math.max(value / strongest, 0), 1) * 255);
  const total = white.reduce((sum, value) => sum + value, 0);
  const start = (side, length, mass) => {
    const middle = total ? mass / total : (length - 1) / 2;
    const wanted = how.centred === "mass"
      ? roundHalfEven(side / 2 - middle) : Math.floor((side - length) / 2);
    return Math.min(Math.max(wanted, 0), side - length);
  };
  const mass = (index) => white.reduce((sum, value, i) => sum + value * index(i), 0);
  const top = start(height, rows, mass((i) => Math.floor(i / columns)));
  const left = start(width, columns, mass((i) => i % columns));
  const image = greyImage(height, width);
  white.forEach((value, i) => {
    const [y, x] = [Math.floor(i / columns), i % columns];
    image.values[(top + y) * width + left + x] = roundHalfEven(value);
  });
  return image;
}
