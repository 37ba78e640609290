// The seed explorer: methods, metric and split are chosen; pictures and table follow.

function startSeeds() {
  const found = DATA.seeds;
  if (!found) return;
  const metric = byId("seed-metric");
  metric.append(...found.metrics.map((one) => option(one.name, one.label)));
  const split = byId("seed-split");
  split.append(...found.splits.map((one) => option(one.name, one.label)));
  const methods = byId("seed-methods");
  for (const name of found.methods) {
    const input = make("input", { type: "checkbox", name: "seed-method", value: name });
    input.checked = found.chosen.includes(name);
    methods.append(make("label", {}, input, make("span", { text: DATA.labels[name] })));
  }
  const choose = (wanted) => {
    methods.querySelectorAll("input").forEach((input) => (input.checked = wanted(input.value)));
    showSeeds(found);
  };
  byId("seed-all").addEventListener("click", () => choose(() => true));
  byId("seed-none").addEventListener("click", () => choose((name) => name === found.reference));
  for (const control of [metric, split, methods]) {
    control.addEventListener("change", () => showSeeds(found));
  }
  showSeeds(found);
}

function showSeeds(found) {
  const metric = found.metrics.find((one) => one.name === byId("seed-metric").value);
  const split = byId("seed-split").value;
  const inputs = [...document.querySelectorAll("#seed-methods input:checked")];
  const chosen = inputs.map((input) => input.value);
  const values = found.values[split]?.[metric.name] ?? {};
  // Intervals are of the test split alone.
  const intervals = split === "test" ? (found.intervals[metric.name] ?? {}) : {};
  const rows = chosen.map((name) => ({
    name,
    label: DATA.labels[name],
    values: found.seeds[name].map((seed) => [seed, values[name]?.[seed] ?? null]),
    interval: intervals[name] ?? null,
  }));
  byId("seed-chosen").textContent = `${chosen.length} of ${found.methods.length} shown`;
  const anything = rows.some((row) => row.values.some(([, value]) => value !== null));
  const strip = anything ? seedStrip(rows, metric, intervals[found.reference]?.[0] ?? null) : "";
  byId("seed-strip").replaceChildren(strip);
  const what = split === "test" ? "; diamond and bar: mean and its interval over seeds; " +
    `dashed: mean of ${DATA.labels[found.reference]}` : "";
  byId("seed-caption").textContent = anything
    ? `${metric.heading}. One ring a seed${what}.`
    : "No method is chosen, or none has this metric.";
  showSeedTable(rows, metric);
  showCurves(found, chosen);
}

function showSeedTable(rows, metric) {
  const table = byId("seed-table");
  const seeds = [...new Set(rows.flatMap((row) => row.values.map(([seed]) => seed)))].sort(
    (a, b) => a - b,
  );
  const heading = (text) => make("th", { scope: "col", class: "num", text });
  const headings = ["Mean", "SD", ...seeds.map((seed) => `seed ${seed}`)].map(heading);
  table.tHead.replaceChildren(
    make("tr", {}, make("th", { scope: "col", text: "Method" }), ...headings),
  );
  table.tBodies[0].replaceChildren(...rows.map((row) => seedRow(row, seeds, metric)));
  makeSortable(table);
}

function seedRow(row, seeds, metric) {
  const known = new Map(row.values);
  const values = [...known.values()].filter((v) => v !== null).map((v) => v * metric.scale);
  const mean = values.length ? values.reduce((a, b) => a + b, 0) / values.length : null;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const sd = values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : null;
  const cell = (value) => make("td", { class: "num", text: show(value, metric.decimals) });
  const own = seeds.map((seed) => {
    const value = known.get(seed);
    return cell(value === null || value === undefined ? null : value * metric.scale);
  });
  return make("tr", {}, make("th", { scope: "row", text: row.label }), cell(mean), cell(sd), ...own);
}

function showCurves(found, chosen) {
  const shown = chosen.filter((name) => found.curves[name]);
  const all = shown.flatMap((name) => Object.values(found.curves[name]));
  const values = all.flat().filter((value) => value !== null);
  const panels = byId("seed-curves");
  if (!values.length) {
    panels.replaceChildren(make("p", { text: "None of these methods has training curves." }));
    return;
  }
  // One bad first epoch must not flatten all other curves: the axis ends at the 99th percentile.
  const sorted = [...values].sort((a, b) => a - b);
  const high = sorted[Math.min(sorted.length - 1, Math.ceil(0.99 * (sorted.length - 1)))];
  const axes = { low: sorted[0], high, epochs: Math.max(...all.map((curve) => curve.length)) };
  panels.replaceChildren(
    ...shown.map((name) => curvePanel(DATA.labels[name], found.curves[name], axes)),
  );
}
