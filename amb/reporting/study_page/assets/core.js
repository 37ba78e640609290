// What all parts share: the data, elements, pictures, and how numbers are printed. Texts are only
// ever set as text: nothing in the data is read as HTML.

const DATA = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";

const byId = (id) => document.getElementById(id);

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") element.textContent = value;
    else if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const make = (tag, attributes = {}, ...children) =>
  fill(document.createElement(tag), attributes, children);

const draw = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);

// A picture with a name for whoever cannot see it.
const picture = (height, label, ...children) =>
  draw("svg", { width: "100%", height, role: "img", "aria-label": label }, ...children);

// "−0.50": a true minus sign, and a dash where there is no number.
function show(value, decimals, signed = false) {
  if (value === null || value === undefined || Number.isNaN(value)) return "—";
  const digits = Math.abs(value).toFixed(decimals);
  const sign = value < 0 && Number(digits) !== 0 ? "−" : signed && value > 0 ? "+" : "";
  return sign + digits;
}

function announce(text) {
  byId("announcer").textContent = text;
}

// Places in per cent of a width, with a margin on both sides.
function scaleOf(values, margin = 4) {
  const finite = values.filter((value) => Number.isFinite(value));
  let low = Math.min(...finite);
  let high = Math.max(...finite);
  if (!(high > low)) [low, high] = [low - 0.5, low + 0.5];
  const place = (value) => margin + ((100 - 2 * margin) * (value - low)) / (high - low);
  return { low, high, place, percent: (value) => `${place(value).toFixed(3)}%` };
}

// Round values within a range, about so many.
function ticksOf(low, high, about) {
  const rough = (high - low) / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k += 1) {
    ticks.push({ value: k * step, text: show(k * step, decimals) });
  }
  return ticks;
}

// Numbers that the page was given as little-endian 16-bit numbers in base64.
function unpack(text, decimals) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const unit = 10 ** decimals;
  return Float64Array.from({ length: bytes.length / 2 }, (_, i) => view.getInt16(2 * i, true) / unit);
}

function option(value, text) {
  return make("option", { value, text });
}
