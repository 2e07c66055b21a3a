// What a person gives to what the first layer takes: raw inputs, then inputs of order one.

// Of a number in several parts, as in kzoo/datasets/features.py.
const MOST_CODES = 2 ** 24;
const UNKNOWN = -1;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const WHOLE = /^[+-]?\d+$/;

// Raw inputs of plain arrays and images to order one: x * scale + offset, in float32.
function rescale(values, { scale, offset }) {
  const at = (part, i) => fround(Array.isArray(part) ? part[i % part.length] : part);
  return values.map((value, i) => fround(value * at(scale, i)) + at(offset, i));
}

// Bytes of an image, 0 to 255, in the unit of the data that the model was trained on.
function rawPixels(bytes, { highest, whole }) {
  const values = Float32Array.from(bytes);
  if (roundHalfEven(highest) === 255) return values;
  const factor = fround(highest / 255);
  return values.map((value) => (whole ? roundHalfEven(fround(value * factor)) : value * factor));
}

function roundHalfEven(value) {
  const down = Math.floor(value);
  const rest = value - down;
  if (rest !== 0.5) return rest < 0.5 ? down : down + 1;
  return down % 2 === 0 ? down : down + 1;
}

// The text of a field as it can be counted on: null where it is empty, NaN where it is no number.
function readNumber(text) {
  const trimmed = text.trim().replace(",", ".");
  if (trimmed === "") return null;
  return NUMBER.test(trimmed) && Number.isFinite(Number(trimmed)) ? trimmed : NaN;
}

// Entries of a table, one for each column, as the array that a model takes: as `encode` in
// kzoo/datasets/tables/learn.py. An entry is null where it is missing, otherwise the text of a
// number, a boolean as "0" or "1", or a code of a category.
function encode(entries, columns) {
  const values = [];
  columns.forEach((column, i) => {
    const entry = entries[i];
    if (column.kind === "category") values.push(entry === null ? NaN : entry);
    else values.push(...parts(entry, column));
  });
  return Float32Array.from(values);
}

function parts(text, column) {
  const count = column.standards.length;
  if (text === null) return new Array(count).fill(NaN);
  if (WHOLE.test(text) && Number.isInteger(column.offset)) {
    // Whole numbers past 2**53, which floats do not hold, stay what they are.
    const shifted = BigInt(text.replace("+", "")) - BigInt(column.offset);
    if (count === 1) return [Number(shifted)];
    if (column.resolution === 1) return digits(shifted, count);
  }
  const shifted = Number(text) - column.offset;
  if (count === 1) return [shifted];
  return digits(BigInt(roundHalfEven(shifted / column.resolution)), count);
}

// A whole number to the base 2**24, the highest digit first.
function digits(whole, count) {
  const base = BigInt(MOST_CODES);
  const found = [];
  for (let i = 1; i < count; i++) {
    const digit = ((whole % base) + base) % base;
    found.unshift(Number(digit));
    whole = (whole - digit) / base;
  }
  return [Number(whole), ...found];
}

// A word's code; that of the rarer words where it has none of its own.
function codeOf(word, column) {
  const code = column.words.indexOf(word);
  if (code >= 0) return code;
  return column.pooled ? column.words.length : UNKNOWN;
}

// An encoded row of a table to order one: as `prepare` in kzoo/forward/preparation.py.
function prepareTable(values, columns) {
  const numbers = columns.filter((column) => column.kind !== "category");
  const categories = columns.filter((column) => column.kind === "category");
  const standards = numbers.flatMap((column) => column.standards);
  const codes = values.slice(standards.length);
  const prepared = standards.map(({ median, mean, deviation }, i) => {
    const scale = deviation === 0 ? 0 : 1 / deviation;
    const shift = fround((median - mean) * scale);
    const fromMedian = fround(values[i] - fround(median));
    const filled = Number.isNaN(fromMedian) ? 0 : fromMedian;
    return fround(filled * fround(scale)) + shift;
  });
  categories.forEach((column, i) => {
    for (let code = 0; code < column.codes; code++) prepared.push(codes[i] === code ? 1 : 0);
  });
  const gaps = numbers.filter((column) => column.hasMissing).flatMap((column) => column.standards);
  gaps.forEach((_, i) => prepared.push(Number.isNaN(values[i]) ? 1 : 0));
  categories.forEach((column, i) => {
    if (column.hasMissing) prepared.push(Number.isNaN(codes[i]) ? 1 : 0);
  });
  return Float32Array.from(prepared);
}

// What a person has to type for a column's usual number.
function usualNumber({ standards, resolution, offset }) {
  if (standards.length === 1) return standards[0].median + offset;
  const counted = standards.reduce((total, { median }) => total * MOST_CODES + median, 0);
  return counted * resolution + offset;
}
