// The fields of a table or of plain numbers.

// Values of a slider, in deviations to both sides of the mean.
const SLIDER_REACH = 3;

// A new element; `properties` are those of its object, in which text is safe.
function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// Puts fields of columns in a place, and returns what gives their entries: as `encode` takes them,
// in the order of the columns. `say` words a message; `onChange` is called at every change.
function makeFields(columns, place, say, isTable, onChange) {
  const makers = { number: numberField, boolean: booleanField, category: categoryField };
  const fields = columns.map((column, i) => makers[column.kind](column, `field-${i}`, say, isTable));
  const order = columns.map((_, i) => i).sort((a, b) => columns[a].place - columns[b].place);
  for (const i of order) place.append(fields[i].element);
  place.addEventListener("input", onChange);
  place.closest("form").addEventListener("reset", () => setTimeout(onChange));
  return () => fields.map((field) => field.entry());
}

function labelled(name, id, ...controls) {
  const label = element("label", { htmlFor: id, textContent: name });
  return element("div", { className: "field" }, label, ...controls);
}

function numberField(column, id, say, isTable) {
  const usual = tidy(usualNumber(column), spacing(column));
  const input = element("input", {
    id, type: "text", inputMode: "decimal", autocomplete: "off", spellcheck: false,
    placeholder: say(isTable ? "usual" : "usualNumber", { value: usual }),
  });
  const name = isTable ? column.name : say("number", { name: column.name });
  const made = labelled(name, id, input);
  const slider = makeSlider(column, say, name);
  if (slider) {
    made.append(slider);
    slider.addEventListener("input", () => {
      input.value = tidy(Number(slider.value), spacing(column));
    });
    input.addEventListener("input", () => {
      slider.value = readNumber(input.value) || slider.defaultValue;
    });
  }
  const entry = () => {
    const number = readNumber(input.value);
    input.setAttribute("aria-invalid", String(Number.isNaN(number)));
    made.classList.toggle("empty", number === null);
    return number;
  };
  return { element: made, entry };
}

// Of a number in one part that varies.
function makeSlider(column, say, name) {
  const [{ mean, deviation }, ...more] = column.standards;
  if (more.length || !deviation) return null;
  const middle = mean + column.offset;
  const slider = element("input", { type: "range" });
  slider.min = middle - SLIDER_REACH * deviation;
  slider.max = middle + SLIDER_REACH * deviation;
  slider.step = "any";
  slider.defaultValue = usualNumber(column);
  slider.setAttribute("aria-label", say("slider", { name }));
  return slider;
}

// A step that is a hundredth of what a number varies by, or somewhat less: a power of ten.
function spacing({ standards }) {
  const { deviation } = standards[standards.length - 1];
  return deviation && standards.length === 1 ? Math.floor(Math.log10(deviation / 5)) : null;
}

// A number as text, to a power of ten.
function tidy(value, power) {
  if (power === null) return String(value);
  if (power >= 0) return String(Math.round(value / 10 ** power) * 10 ** power);
  return String(Number(value.toFixed(Math.min(-power, 12))));
}

function select(id, choices) {
  return element("select", { id }, ...choices.map(([value, text]) =>
    element("option", { value, textContent: text })));
}

function booleanField(column, id, say) {
  const choices = [["0", say("false")], ["1", say("true")]];
  if (column.hasMissing) choices.push(["", say("missing")]);
  const input = select(id, choices);
  return { element: labelled(column.name, id, input), entry: () => input.value || null };
}

function categoryField(column, id, say) {
  const choices = column.words.map((word, code) => [String(code), word]);
  if (column.pooled) {
    choices.push([String(column.words.length), say("other", { count: column.pooled })]);
  }
  if (column.hasMissing) choices.push(["", say("missing")]);
  const input = select(id, choices);
  const entry = () => (input.value === "" ? null : Number(input.value));
  return { element: labelled(column.name, id, input), entry };
}
