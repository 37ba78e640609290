// Pictures of the seed explorer: a strip of dots a method, and small multiples of training curves.

const STRIP_ROW = 38;

function seedStrip(rows, metric, reference) {
  const values = rows.flatMap((row) => [...row.values.map(([, v]) => v), ...(row.interval ?? [])]);
  const scale = scaleOf(values.filter((value) => value !== null).map((v) => v * metric.scale));
  const strip = make("div", { class: "strip" });
  for (const row of rows) {
    strip.append(make("span", { text: row.label }), stripRow(row, metric, scale, reference));
  }
  strip.append(make("span"), stripAxis(scale, metric));
  return strip;
}

function stripRow(row, metric, scale, reference) {
  const shown = row.values.filter(([, value]) => value !== null);
  const mean = row.interval ? show(row.interval[0] * metric.scale, metric.decimals) : null;
  const label = `${row.label}: ${shown.length} seeds${mean ? `, mean ${mean}` : ""}`;
  const svg = picture(STRIP_ROW, label);
  if (reference !== null) {
    const x = scale.percent(reference * metric.scale);
    svg.append(draw("line", { class: "guide reference", x1: x, x2: x, y1: 0, y2: STRIP_ROW }));
  }
  if (row.interval) svg.append(...stripInterval(row.interval, metric, scale));
  for (const [seed, value] of shown) {
    const attributes = { class: "dot", cx: scale.percent(value * metric.scale), cy: 11, r: 4.5 };
    const title = `seed ${seed}: ${show(value * metric.scale, metric.decimals)}`;
    svg.append(draw("circle", attributes, draw("title", { text: title })));
  }
  return svg;
}

function stripInterval([mean, low, high], metric, scale) {
  const parts = [];
  if (low !== null && high !== null) {
    const [x1, x2] = [low, high].map((value) => scale.percent(value * metric.scale));
    parts.push(draw("line", { class: "range", x1, x2, y1: 25, y2: 25 }));
  }
  if (mean !== null) {
    const x = scale.percent(mean * metric.scale);
    const diamond = draw("path", { class: "mean", d: "M0-5 5 0 0 5-5 0Z" });
    parts.push(draw("svg", { x, y: 25, overflow: "visible" }, diamond));
  }
  return parts;
}

function stripAxis(scale, metric) {
  const svg = draw("svg", { width: "100%", height: 40, "aria-hidden": "true" });
  svg.append(draw("line", { class: "guide", x1: 0, x2: "100%", y1: 1, y2: 1 }));
  for (const tick of ticksOf(scale.low, scale.high, 4)) {
    const x = scale.percent(tick.value);
    svg.append(draw("line", { class: "guide", x1: x, x2: x, y1: 1, y2: 6 }));
    svg.append(draw("text", { class: "tick", x, y: 19, "text-anchor": "middle", text: tick.text }));
  }
  const better = metric.higher ? "higher is better →" : "← lower is better";
  svg.append(
    draw("text", { class: "tick", x: "50%", y: 36, "text-anchor": "middle", text: better }),
  );
  return svg;
}

const CURVE = { width: 280, height: 150, left: 38, right: 8, top: 8, bottom: 22 };

// One panel: all seeds of a method, on the axes that all panels share.
function curvePanel(label, curves, axes) {
  const { width, height, left, right, top, bottom } = CURVE;
  const x = (epoch) => left + ((width - left - right) * (epoch - 1)) / Math.max(axes.epochs - 1, 1);
  const y = (value) =>
    top + ((height - top - bottom) * (axes.high - value)) / (axes.high - axes.low || 1);
  const seeds = Object.keys(curves).length;
  const svg = draw("svg", {
    viewBox: `0 0 ${width} ${height}`,
    role: "img",
    "aria-label": `Training curves of ${label}, ${seeds} seeds`,
  });
  for (const tick of ticksOf(axes.low, axes.high, 4)) {
    const at = y(tick.value);
    svg.append(draw("line", { class: "guide", x1: left, x2: width - right, y1: at, y2: at }));
    const place = { class: "tick", x: left - 5, y: at + 4, "text-anchor": "end" };
    svg.append(draw("text", { ...place, text: tick.text }));
  }
  for (const tick of ticksOf(1, Math.max(axes.epochs, 2), 4)) {
    if (!Number.isInteger(tick.value)) continue;
    const place = { class: "tick", x: x(tick.value), y: height - 6, "text-anchor": "middle" };
    svg.append(draw("text", { ...place, text: tick.text }));
  }
  for (const [seed, values] of Object.entries(curves)) svg.append(...curveOf(seed, values, x, y));
  return make("div", {}, make("h4", { text: label }), svg);
}

function curveOf(seed, values, x, y) {
  const known = values.map((value, i) => [i + 1, value]).filter(([, value]) => value !== null);
  if (!known.length) return [];
  const points = known.map(([epoch, value]) => `${x(epoch).toFixed(1)},${y(value).toFixed(1)}`);
  const [epoch, best] = known.reduce((a, b) => (b[1] < a[1] ? b : a));
  const title = `seed ${seed}: best ${show(best, 4)} at epoch ${epoch} of ${values.length}`;
  return [
    draw("polyline", { class: "curve", points: points.join(" ") }, draw("title", { text: title })),
    draw("circle", { class: "kept", cx: x(epoch), cy: y(best), r: 3 }),
  ];
}
