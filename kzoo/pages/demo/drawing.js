// What a person draws: strokes, each a list of points {x, y} from 0 to 1 of the pad's sides.

// Of a drawing that is brought to the size of the ink: pixels of it for one of the image's.
const FINER = 8;
// Of the pad's side: a drawing shorter than this is not enlarged any further.
const SHORTEST = 0.15;
// Of the side of an image that is no handwriting.
const PEN = 0.08;

// Strokes as ink, 0 to 255, in an image of a height and width.
// `toPixel` brings a point to places, where 0 is the outer edge of the first pixel.
function inkStrokes(strokes, height, width, pen, toPixel) {
  const ink = greyImage(height, width);
  for (const stroke of strokes) {
    const points = stroke.map(toPixel);
    points.forEach((point, i) => inkLine(ink, points[Math.max(i - 1, 0)], point, pen / 2));
  }
  return ink;
}

function inkLine(ink, from, to, radius) {
  const across = to.x - from.x;
  const down = to.y - from.y;
  const squared = across * across + down * down;
  const edge = radius + 1;
  const top = Math.max(Math.floor(Math.min(from.y, to.y) - edge), 0);
  const bottom = Math.min(Math.ceil(Math.max(from.y, to.y) + edge), ink.height);
  const left = Math.max(Math.floor(Math.min(from.x, to.x) - edge), 0);
  const right = Math.min(Math.ceil(Math.max(from.x, to.x) + edge), ink.width);
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      const [y, x] = [row + 0.5 - from.y, column + 0.5 - from.x];
      const along = squared ? Math.min(Math.max((x * across + y * down) / squared, 0), 1) : 0;
      const distance = Math.hypot(x - along * across, y - along * down);
      // A soft edge, one pixel wide.
      const value = 255 * Math.min(Math.max(radius + 0.5 - distance, 0), 1);
      const i = row * ink.width + column;
      if (value > ink.values[i]) ink.values[i] = value;
    }
  }
}

// A drawing as an image of a set of handwritten characters. It is as `prepareHandwriting` makes it of
// the pad's picture, but for the pen: its width follows from the size of the drawing, so that a small
// drawing does not become a blob.
function imageOfHandwriting(strokes, how, height, width) {
  const points = strokes.flat();
  const xs = points.map((point) => point.x);
  const ys = points.map((point) => point.y);
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const [across, down] = [Math.max(...xs) - left, Math.max(...ys) - top];
  const longest = FINER * how.ink;
  const pen = USUAL_STROKE * longest;
  const factor = (longest - pen) / Math.max(across, down, SHORTEST);
  const size = (length) => Math.max(Math.round(length * factor + pen), 1);
  const ink = inkStrokes(strokes, size(down), size(across), pen, ({ x, y }) => ({
    x: (x - left) * factor + pen / 2,
    y: (y - top) * factor + pen / 2,
  }));
  return place(scaled(ink, ink, 1 / FINER), how, height, width);
}

// The pen's width in pixels of an image that is no handwriting.
function penWidth(height, width) {
  return Math.max(PEN * Math.max(height, width), 1.5);
}

// A drawing as an image, where it stands on the pad, as `kzoo predict` makes it of the pad's picture.
function imageOfDrawing(strokes, height, width, isLightOnDark) {
  const pen = penWidth(height, width);
  const finer = inkStrokes(strokes, 4 * height, 4 * width, 4 * pen, ({ x, y }) => ({
    x: 4 * x * width,
    y: 4 * y * height,
  }));
  const image = resize(finer, height, width);
  const values = image.values.map((ink) => toByte(isLightOnDark ? ink : 255 - ink));
  return greyImage(height, width, values);
}
