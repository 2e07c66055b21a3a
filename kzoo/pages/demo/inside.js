// What goes on inside a model: feature maps, weights under a drawing, outputs of units.

// Of a tile, in pixels of the page: its side where there is room, and how many stand in a row at
// least.
const TILES = {
  maps: { side: 54, least: 8 },
  named: { side: 88, least: 5 },
  weights: { side: 54, least: 8 },
  cells: { side: 11, least: 16 },
};
const GAP = 3;
const CAPTION = 18;
const MOST_UNITS = 128;
// How much of a weight shows where the drawing has no ink, and before there is a drawing.
const UNLIT = 0.16;
const RESTING = 0.55;

// The stages of a model that can be shown: {kind, layer (its number), name, count, ...}.
function stagesOf(layers, input) {
  const stages = [];
  let isFirst = input.kind === "picture";
  layers.forEach((layer, i) => {
    const isLast = i === layers.length - 1;
    const { kind, name, settings } = layer;
    if (kind === "Conv2D") {
      stages.push({ kind: "maps", name, layer: endOf(layers, i), count: settings.filters });
      isFirst = false;
    } else if (kind === "Dense" && isFirst) {
      const named = isLast && settings.units <= MOST_UNITS;
      stages.push({ kind: "weights", name, layer: i, count: settings.units, named });
      isFirst = false;
    } else if (kind === "GlobalMaxPooling2D" || (kind === "Dense" && !isLast)) {
      stages.push({ kind: "cells", name, layer: endOf(layers, i), count: settings.units });
    }
  });
  return stages;
}

// The last layer that only changes what a layer gives number by number.
function endOf(layers, i) {
  const pointwise = ["BatchNormalization", "ReLU", "Dropout"];
  while (i + 1 < layers.length && pointwise.includes(layers[i + 1].kind)) i += 1;
  return i;
}

// The parts of a colour as the page shows it.
function colourOf(place, property) {
  return getComputedStyle(place)[property].match(/[\d.]+/g).slice(0, 3).map(Number);
}

function colours(place) {
  return {
    tile: colourOf(place, "backgroundColor"),
    bright: colourOf(place, "color"),
    for: colourOf(place.querySelector(".swatch-for"), "color"),
    against: colourOf(place.querySelector(".swatch-against"), "color"),
  };
}

// Makes a place for a stage; returns what draws it. `say` words its caption.
function makeStage(stage, model, say, parent) {
  const caption = element("p", { className: "caption" });
  const canvas = element("canvas", {});
  canvas.setAttribute("aria-hidden", "true");
  const swatches = [element("i", { className: "swatch-for" }),
    element("i", { className: "swatch-against" })];
  const palette = element("span", { className: "maps", hidden: true }, ...swatches);
  const place = element("div", { className: "stage" }, caption, canvas, palette);
  parent.append(place);
  const draw = { maps: drawMaps, weights: weightsDrawer(stage, model), cells: drawCells }[stage.kind];
  return (outputs, seen) => {
    const output = outputs[stage.layer];
    const [height, width] = output.shape;
    const count = output.shape[output.shape.length - 1];
    caption.textContent = say(stage.kind, { name: stage.name, count, height, width });
    if (stage.kind === "weights" && count > MOST_UNITS) {
      caption.textContent += ` ${say("weightsShown", { shown: MOST_UNITS })}`;
    }
    draw(canvas, output, colours(palette), seen);
  };
}

// Lays tiles out in rows that fill a canvas's place. Returns its context, where each is, and how
// large. `slope` is a tile's height for a width of 1.
function layOut(canvas, count, slope, { side, least }, captions) {
  const ratio = window.devicePixelRatio || 1;
  const gap = Math.round(GAP * ratio);
  const below = captions ? Math.round(CAPTION * ratio) : 0;
  const room = Math.floor(canvas.parentElement.clientWidth * ratio) + gap;
  const wanted = Math.min(side * ratio + gap, room / least);
  const columns = evenColumns(count, Math.max(Math.floor(room / wanted), 1));
  const wide = Math.max(Math.floor(Math.min(room / columns, 1.5 * wanted)) - gap, 1);
  const tall = Math.max(Math.round(wide * slope), 1);
  const across = Math.min(columns, count);
  canvas.width = across * (wide + gap) - gap;
  canvas.height = Math.ceil(count / columns) * (tall + gap + below) - gap;
  canvas.style.width = `${canvas.width / ratio}px`;
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  const at = (i) => ({
    x: (i % columns) * (wide + gap), y: Math.floor(i / columns) * (tall + gap + below), wide, tall,
  });
  return { context, at, ratio };
}

// How many tiles stand in a row: so many that all rows are full, where that is not far from `most`.
function evenColumns(count, most) {
  for (let columns = most; columns > most / 2; columns--) {
    if (count % columns === 0) return columns;
  }
  return most;
}

// Draws tiles whose pixels are `colour(tile, pixel, parts)`, which fills in three parts.
function drawTiles(canvas, count, [height, width], look, colour, captions) {
  const { context, at, ratio } = layOut(canvas, count, height / width, look, captions);
  const strip = element("canvas", { width, height: height * count });
  const pixels = new ImageData(width, height * count);
  const parts = [0, 0, 0];
  for (let tile = 0, i = 0; tile < count; tile++) {
    for (let pixel = 0; pixel < height * width; pixel++, i += 4) {
      colour(tile, pixel, parts);
      for (let k = 0; k < 3; k++) pixels.data[i + k] = parts[k];
      pixels.data[i + 3] = 255;
    }
  }
  strip.getContext("2d").putImageData(pixels, 0, 0);
  for (let tile = 0; tile < count; tile++) {
    const { x, y, wide, tall } = at(tile);
    context.drawImage(strip, 0, tile * height, width, height, x, y, wide, tall);
  }
  if (captions) drawCaptions(context, captions, at, ratio);
}

function drawCaptions(context, captions, at, ratio) {
  context.fillStyle = getComputedStyle(context.canvas.parentElement).color;
  context.font = `${12 * ratio}px system-ui, sans-serif`;
  context.textAlign = "center";
  captions.forEach((text, i) => {
    const { x, y, wide, tall } = at(i);
    context.fillText(shorten(context, text, wide), x + wide / 2, y + tall + 13 * ratio);
  });
}

function shorten(context, text, width) {
  const signs = [...text];
  if (context.measureText(text).width <= width) return text;
  while (signs.length && context.measureText(`${signs.join("")}…`).width > width) signs.pop();
  return `${signs.join("")}…`;
}

// Fills in a colour that is a part of the way from one to another.
function mix(from, to, part, parts) {
  for (let i = 0; i < 3; i++) parts[i] = from[i] + (to[i] - from[i]) * part;
}

function drawMaps(canvas, output, palette) {
  const [height, width, count] = output.shape;
  const highest = output.values.reduce((most, value) => Math.max(most, value), 0) || 1;
  drawTiles(canvas, count, [height, width], TILES.maps, (tile, pixel, parts) => {
    const value = Math.max(output.values[pixel * count + tile] / highest, 0);
    mix(palette.tile, palette.bright, Math.sqrt(value), parts);
  });
}

function drawCells(canvas, output, palette) {
  const count = output.values.length;
  const highest = output.values.reduce((most, value) => Math.max(most, value), 0) || 1;
  drawTiles(canvas, count, [1, 1], TILES.cells, (tile, _, parts) => {
    mix(palette.tile, palette.bright, Math.max(output.values[tile] / highest, 0), parts);
  });
}

// Returns what draws the weights of a layer that takes an image's pixels.
function weightsDrawer(stage, model) {
  if (stage.kind !== "weights") return null;
  const { height, width } = model.input;
  const units = stage.count;
  const count = Math.min(units, MOST_UNITS);
  const kernel = model.layers[stage.layer].weights[0];
  const channels = kernel.length / units / height / width;
  const strong = quantile(kernel.map(Math.abs), 0.99) || 1;
  // Of each unit and pixel, the mean of its channels.
  const strengths = new Float32Array(count * height * width);
  for (let tile = 0, i = 0; tile < count; tile++) {
    for (let pixel = 0; pixel < height * width; pixel++, i++) {
      let sum = 0;
      for (let k = 0; k < channels; k++) sum += kernel[(pixel * channels + k) * units + tile];
      strengths[i] = Math.min(Math.max(sum / channels / strong, -1), 1);
    }
  }
  const captions = stage.named ? model.classes : null;
  const look = stage.named ? TILES.named : TILES.weights;
  return (canvas, output, palette, seen) => {
    const light = lightOf(seen, height * width);
    const activity = stage.named ? null : activityOf(output.values, seen);
    drawTiles(canvas, count, [height, width], look, (tile, pixel, parts) => {
      const strength = strengths[tile * height * width + pixel];
      const part = Math.abs(strength) * light[pixel] * (activity ? activity[tile] : 1);
      mix(palette.tile, strength > 0 ? palette.for : palette.against, part, parts);
    }, captions);
  };
}

// How much of the weights of each pixel shows. `seen` is bytes of the image, null before there is
// one; of colours the lightest counts.
function lightOf(seen, pixels) {
  if (!seen) return new Float32Array(pixels).fill(RESTING);
  const channels = seen.length / pixels;
  return Float32Array.from({ length: pixels }, (_, i) => {
    let most = 0;
    for (let k = 0; k < channels; k++) most = Math.max(most, seen[i * channels + k]);
    return UNLIT + (1 - UNLIT) * (most / 255);
  });
}

// How bright each unit is: those that give nothing fade.
function activityOf(values, seen) {
  const highest = values.reduce((most, value) => Math.max(most, value), 0) || 1;
  return values.map((value) => (seen ? 0.25 + 0.75 * Math.sqrt(Math.max(value / highest, 0)) : 1));
}
