// The page: what a person does, and what it shows of the model's answer.

// Of a dropped picture in which ink is looked for, in pixels of its longer side.
const MOST_PIXELS = 1600;
const MOST_BARS = 12;
const LONG_NAME = 8;
// Of the pad's side, as the pen shows there where an image of handwriting is made of the drawing.
const PEN_SHOWN = 0.065;

const byId = (id) => document.getElementById(id);
const readJson = (id) => JSON.parse(byId(id).textContent);

function startPage() {
  const model = readJson("model");
  model.layers = decodeLayers(model.layers);
  const say = speaker(readJson("words"));
  wordPage(model, say);
  const show = makeAnswer(model, say);
  const given = model.input.kind === "picture" ? startPicture : startTable;
  given(model, say, show);
  for (const id of ["entry", "answer"]) byId(id).hidden = false;
  show.again();
  // Sizes and colours of what is drawn change with the window and the scheme.
  addEventListener("resize", show.again);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show.again);
}

// Returns what words a message in the browser's language, with values put in.
function speaker(words) {
  const wanted = navigator.languages.map((language) => language.split("-")[0].toLowerCase());
  const language = wanted.find((one) => Object.hasOwn(words, one)) || "en";
  document.documentElement.lang = language;
  return (name, values) => words[language][name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

function wordPage(model, say) {
  const facts = [say("facts", {
    parameters: model.parameters.toLocaleString(), dataset: model.dataset,
  })];
  if (model.accuracy !== null) {
    facts.push(say("accuracy", { accuracy: (100 * model.accuracy).toFixed(1) }));
  }
  if (model.majority) {
    const { name, accuracy } = model.majority;
    facts.push(say("majority", { name, majority: (100 * accuracy).toFixed(1) }));
  }
  byId("facts").textContent = facts.join(" · ");
  for (const name of ["undo", "clear", "open", "reset", "privacy"]) byId(name).textContent = say(name);
  byId("inside-title").textContent = say("inside");
  // The same sentence that `kzoo predict` prints, which is in English alone.
  byId("caution").textContent = model.input.handwriting ? model.input.handwriting.caution : "";
}

// Returns what shows the answer to an input of order one ({values, shape}, or null where there is
// none yet), with the bytes of the image that the model sees. Its `again` shows the last one again.
function makeAnswer(model, say) {
  const showBars = makeBars(model.classes, say);
  const isPicture = model.input.kind === "picture";
  const described = stagesOf(model.layers, model.input);
  const hasWeights = described.some((stage) => stage.kind === "weights");
  const stages = described.map((stage) => makeStage(stage, model, say, byId("stages")));
  const resting = { values: new Float32Array(product(model.shape)), shape: model.shape };
  const waiting = say(isPicture && model.input.colours ? "waitingPicture" : "waiting");
  let last = [null, null, waiting];
  const show = (x, seen, message) => {
    last = [x, seen, message];
    const outputs = forward(model.layers, x || resting);
    const answer = outputs[outputs.length - 1].values;
    const isGood = answer.every(Number.isFinite);
    const probabilities = x && isGood ? answer : null;
    showBars(probabilities);
    showBest(model.classes, probabilities, isGood ? message : say("notFinite"));
    if (isPicture) showSeen(model.input, seen);
    // Weights can be seen before there is an input, what they make of it cannot.
    byId("inside").hidden = !stages.length || !(x || hasWeights);
    if (byId("inside").hidden) return;
    for (const draw of stages) draw(x ? outputs : outputs.map(darken), seen);
  };
  show.again = () => show(...last);
  show.nothing = () => show(null, null, waiting);
  return show;
}

// What a layer gives to a blank image says nothing.
function darken({ values, shape }) {
  return { values: new Float32Array(values.length), shape };
}

function showBest(classes, probabilities, message) {
  const best = byId("best");
  if (!probabilities) {
    best.textContent = "";
    byId("share").textContent = message;
    return;
  }
  const index = probabilities.indexOf(Math.max(...probabilities));
  best.textContent = classes[index];
  best.classList.toggle("long", classes[index].length > LONG_NAME);
  byId("share").textContent = percent(probabilities[index]);
}

function percent(probability) {
  return `${(100 * probability).toFixed(1)} %`;
}

// Makes a bar for each class, or for the most probable ones where there are many.
function makeBars(classes, say) {
  const count = Math.min(classes.length, MOST_BARS);
  const isSorted = classes.length > count;
  const longest = Math.max(...classes.map((name) => name.length));
  const bars = Array.from({ length: count }, () => {
    const [name, fill, share] = ["class", "fill", "percent"].map((className) =>
      element("span", { className }));
    const track = element("span", { className: "track" }, fill);
    const row = element("li", {}, name, track, share);
    byId("bars").append(row);
    return { row, name, fill, share };
  });
  byId("bars").style.setProperty("--names", `${longest * 0.68 + 0.4}rem`);
  return (probabilities) => {
    const order = classes.map((_, i) => i);
    if (isSorted && probabilities) order.sort((a, b) => probabilities[b] - probabilities[a]);
    const highest = probabilities ? Math.max(...probabilities) : 2;
    bars.forEach(({ row, name, fill, share }, place) => {
      const i = order[place];
      const probability = probabilities ? probabilities[i] : 0;
      name.textContent = isSorted && !probabilities ? "" : classes[i];
      name.title = name.textContent;
      fill.style.width = `${100 * probability}%`;
      share.textContent = probabilities ? percent(probability) : "";
      row.classList.toggle("first", probability === highest);
    });
  };
}

function showSeen({ height, width, colours: isColoured, isLightOnDark }, bytes) {
  const blank = isColoured || isLightOnDark ? 0 : 255;
  const canvas = byId("seen");
  [canvas.width, canvas.height] = [width, height];
  const pixels = new ImageData(width, height);
  for (let i = 0; i < height * width; i++) {
    for (let k = 0; k < 3; k++) {
      pixels.data[4 * i + k] = bytes ? bytes[isColoured ? 3 * i + k : i] : blank;
    }
    pixels.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(pixels, 0, 0);
}

function startTable(model, say, show) {
  const { columns, kind } = model.input;
  const isTable = kind === "table";
  document.querySelector("main").classList.add("table");
  byId("table").hidden = false;
  byId("fields-title").textContent = say(isTable ? "fields" : "numbers");
  byId("table").addEventListener("submit", (event) => event.preventDefault());
  const change = () => {
    const entries = read();
    const wrong = entries.findIndex(Number.isNaN);
    if (wrong >= 0) {
      show(null, null, say("noNumber", { name: columns[wrong].name }));
      return;
    }
    const values = isTable ? prepareTable(encode(entries, columns), columns)
      : rescale(Float32Array.from(entries, (entry, i) =>
        (entry === null ? usualNumber(columns[i]) : Number(entry))), model.scaling);
    show({ values, shape: model.shape }, null, "");
  };
  const read = makeFields(columns, byId("fields"), say, isTable, change);
  change();
}

function startPicture(model, say, show) {
  const { input } = model;
  byId("picture").hidden = false;
  byId("seen").hidden = false;
  byId("seen-caption").textContent = say("seen", input);
  byId("hint").textContent = say(input.colours ? "drop" : input.handwriting ? "draw" : "drawPicture");
  byId("pad").setAttribute("aria-label", say("padName"));
  if (!input.handwriting) byId("pad").style.aspectRatio = `${input.width} / ${input.height}`;
  const answer = (bytes) => {
    const values = rescale(rawPixels(bytes, input), model.scaling);
    show({ values, shape: model.shape }, bytes, "");
  };
  const pad = makePad(input, show, answer);
  if (!input.colours) startPolarity(model, say, pad);
  takePictures(input, say, pad, answer);
}

// Says what is made of a drawing. A model of no handwriting gets it as it stands on the pad; where it
// is not known whether its images are light on dark, a person can invert the pad.
function startPolarity({ input, dataset }, say, pad) {
  const word = () => {
    const name = input.handwriting ? "prepared" : input.isPolarityKnown ? "lightOnDarkKnown"
      : input.isLightOnDark ? "lightOnDark" : "darkOnLight";
    byId("polarity").textContent = say(name, { dataset, invert: say("invert") });
    if (input.handwriting) return;
    byId("board").classList.toggle("light-on-dark", input.isLightOnDark);
    byId("board").classList.toggle("dark-on-light", !input.isLightOnDark);
  };
  word();
  byId("invert").textContent = say("invert");
  byId("invert").hidden = Boolean(input.handwriting || input.isPolarityKnown);
  byId("invert").addEventListener("click", () => {
    input.isLightOnDark = !input.isLightOnDark;
    word();
    pad.change();
  });
  pad.change();
}

// Makes the pad: strokes by mouse, touch or pen, or a picture that was opened.
function makePad(input, show, answer) {
  const pad = byId("pad");
  let strokes = [];
  let picture = null;
  let isWaiting = false;

  const draw = () => {
    drawPad(pad, strokes, picture, input);
    byId("hint").hidden = Boolean(strokes.length || picture);
    byId("undo").disabled = !strokes.length;
    byId("clear").disabled = !(strokes.length || picture);
    // A picture is given as it is.
    byId("invert").disabled = Boolean(picture);
  };
  const change = () => {
    // Once for each picture of the screen, however fast a pen is.
    if (isWaiting) return;
    isWaiting = true;
    requestAnimationFrame(() => {
      isWaiting = false;
      draw();
      if (picture) return;
      if (strokes.length) answer(imageOf(strokes, input).values);
      else show.nothing();
    });
  };
  const clear = () => {
    [strokes, picture] = [[], null];
    byId("message").textContent = "";
    change();
  };
  if (input.colours) {
    byId("board").classList.add("only-pictures");
    byId("undo").hidden = true;
  } else {
    takeStrokes(pad, () => {
      if (picture) clear();
      return strokes;
    }, change);
  }
  byId("undo").addEventListener("click", () => {
    strokes.pop();
    change();
  });
  byId("clear").addEventListener("click", clear);
  addEventListener("resize", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  draw();
  return {
    change,
    showPicture(bitmap) {
      [strokes, picture] = [[], bitmap];
      draw();
    },
  };
}

function imageOf(strokes, { handwriting, height, width, isLightOnDark }) {
  return handwriting ? imageOfHandwriting(strokes, handwriting, height, width)
    : imageOfDrawing(strokes, height, width, isLightOnDark);
}

// Adds to the strokes that `current` gives what one pointer at a time draws.
function takeStrokes(pad, current, change) {
  let pointer = null;
  const add = (event) => {
    const { left, top, width, height } = pad.getBoundingClientRect();
    const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    const stroke = current()[current().length - 1];
    for (const { clientX, clientY } of events.length ? events : [event]) {
      stroke.push({ x: (clientX - left) / width, y: (clientY - top) / height });
    }
    change();
  };
  pad.addEventListener("pointerdown", (event) => {
    if (pointer !== null || event.button !== 0) return;
    pointer = event.pointerId;
    pad.setPointerCapture(pointer);
    current().push([]);
    add(event);
    event.preventDefault();
  });
  pad.addEventListener("pointermove", (event) => {
    if (event.pointerId === pointer) add(event);
  });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
    pad.addEventListener(name, (event) => {
      if (event.pointerId === pointer) pointer = null;
    });
  }
  // A finger that draws does not scroll the page as well.
  pad.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
}

function drawPad(pad, strokes, picture, input) {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [pad.clientWidth, pad.clientHeight].map((side) => Math.round(side * ratio));
  [pad.width, pad.height] = [width, height];
  const context = pad.getContext("2d");
  // Saved as a file, the pad is what it looks like.
  context.fillStyle = getComputedStyle(pad).backgroundColor;
  context.fillRect(0, 0, width, height);
  if (picture) {
    const factor = Math.min(width / picture.width, height / picture.height);
    const [wide, tall] = [picture.width * factor, picture.height * factor];
    context.imageSmoothingEnabled = factor < 1;
    context.drawImage(picture, (width - wide) / 2, (height - tall) / 2, wide, tall);
  }
  context.strokeStyle = getComputedStyle(pad).color;
  const pen = input.handwriting ? PEN_SHOWN
    : penWidth(input.height, input.width) / Math.max(input.height, input.width);
  context.lineWidth = pen * Math.max(width, height);
  context.lineCap = "round";
  context.lineJoin = "round";
  for (const stroke of strokes) {
    context.beginPath();
    const [first, ...others] = stroke;
    context.moveTo(first.x * width, first.y * height);
    // A line to itself is a dot.
    for (const { x, y } of others.length ? others : [first]) context.lineTo(x * width, y * height);
    context.stroke();
  }
}

// Takes pictures that are dropped, opened or pasted.
function takePictures(input, say, pad, answer) {
  const take = async (file) => {
    let bitmap;
    try {
      bitmap = await createImageBitmap(file);
    } catch {
      byId("message").textContent = say("noPicture");
      return;
    }
    const { bytes, isStretched } = imageOfPicture(bitmap, input);
    pad.showPicture(bitmap);
    byId("message").textContent = isStretched && input.handwriting ? say("noInk")
      : isStretched ? say("stretched", { name: file.name || say("picture"), ...input })
        : file.name || "";
    answer(bytes);
  };
  const board = byId("board");
  addEventListener("dragover", (event) => {
    event.preventDefault();
    board.classList.add("dropping");
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) board.classList.remove("dropping");
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    board.classList.remove("dropping");
    if (event.dataTransfer.files.length) take(event.dataTransfer.files[0]);
  });
  addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) take(event.clipboardData.files[0]);
  });
  byId("file").addEventListener("change", (event) => {
    if (event.target.files.length) take(event.target.files[0]);
    event.target.value = "";
  });
}

// A picture's bytes as the model sees it, and whether it was only stretched to size.
function imageOfPicture(bitmap, { height, width, colours: isColoured, handwriting }) {
  const factor = Math.min(MOST_PIXELS / Math.max(bitmap.width, bitmap.height), 1);
  const [wide, tall] = [bitmap.width, bitmap.height].map((side) =>
    Math.max(Math.round(side * factor), 1));
  const context = element("canvas", { width: wide, height: tall }).getContext("2d");
  // What is transparent shows white.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, wide, tall);
  context.drawImage(bitmap, 0, 0, wide, tall);
  const { data } = context.getImageData(0, 0, wide, tall);
  if (isColoured) return { bytes: stretchColours(data, tall, wide, height, width) };
  const grey = greyOf(data, tall, wide);
  const prepared = handwriting && prepareHandwriting(grey, handwriting, height, width);
  if (prepared) return { bytes: prepared.values };
  return { bytes: resize(grey, height, width).values.map(toByte), isStretched: true };
}

function stretchColours(data, tall, wide, height, width) {
  const bytes = new Float32Array(height * width * 3);
  for (let k = 0; k < 3; k++) {
    const values = Float32Array.from({ length: tall * wide }, (_, i) => data[4 * i + k]);
    resize(greyImage(tall, wide, values), height, width).values.forEach((value, i) => {
      bytes[3 * i + k] = toByte(value);
    });
  }
  return bytes;
}
