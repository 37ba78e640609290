// The metric switch: one code's definitions at a time, rows in the order of their ranks under it.

function startVariants() {
  const found = DATA.variants;
  if (!found) return;
  const options = byId("variant-options");
  for (const variant of found.variants) {
    const input = make("input", { type: "radio", name: "variant", value: variant.name });
    options.append(make("label", {}, input, make("span", { text: variant.name })));
  }
  options.querySelector("input").checked = true;
  options.addEventListener("change", () => chooseVariant(found));
  byId("variant-metric").addEventListener("change", () => showVariant(found));
  chooseVariant(found);
}

function chosenVariant(found) {
  const name = document.querySelector("input[name=variant]:checked").value;
  return found.variants.find((variant) => variant.name === name);
}

// A variant lists its own metrics; the choice stays where the new one has that metric too.
function chooseVariant(found) {
  const select = byId("variant-metric");
  const variant = chosenVariant(found);
  const wanted = select.value || "mae";
  select.replaceChildren(
    ...variant.metrics.map((metric) => option(metric.name, `${metric.family}: ${metric.name}`)),
  );
  const names = variant.metrics.map((metric) => metric.name);
  select.value = names.includes(wanted) ? wanted : names[0];
  showVariant(found);
}

function showVariant(found) {
  const variant = chosenVariant(found);
  const metric = variant.metrics.find((one) => one.name === byId("variant-metric").value);
  const last = found.methods.length + 1;
  const order = [...found.methods].sort(
    (a, b) => (metric.rank[a] ?? last) - (metric.rank[b] ?? last),
  );
  const table = byId("variant-table");
  table.tHead.replaceChildren(variantHeadings(variant, metric));
  table.tBodies[0].replaceChildren(...order.map((row) => variantRow(found, variant, metric, row)));
  byId("variant-source").textContent =
    `${variant.name}, version ${variant.version}: ${variant.source}. ` +
    `${metric.name}: ${metric.definition}.`;
  byId("variant-moves").textContent = movesText(found, variant, metric);
}

// The metric that ranks comes first: on a narrow screen the others are scrolled to.
const inOrder = (variant, chosen) => [chosen, ...variant.metrics.filter((m) => m !== chosen)];

function variantHeadings(variant, chosen) {
  const headings = inOrder(variant, chosen).map((metric) => {
    const arrow = metric.higher ? "↑" : "↓";
    const unit = metric.scale === 100 ? ", %" : "";
    const kind = metric === chosen ? "num chosen" : "num";
    return make("th", { scope: "col", class: kind, text: `${metric.name}${unit}\u00a0${arrow}` });
  });
  return make(
    "tr",
    {},
    make("th", { scope: "col", text: "Method" }),
    make("th", { scope: "col", class: "num", text: "Rank" }),
    make("th", { scope: "col", text: "Against mmsa" }),
    ...headings,
  );
}

function variantRow(found, variant, chosen, row) {
  const move = moveOf(chosen, row);
  const values = inOrder(variant, chosen).map((metric) => {
    const mean = metric.mean[row];
    const text = mean === null ? "undefined" : show(mean * metric.scale, metric.decimals);
    return make("td", { class: metric === chosen ? "num chosen" : "num", text });
  });
  return make(
    "tr",
    {},
    make("th", { scope: "row", text: found.labels[row] }),
    make("td", { class: "num", text: chosen.rank[row] ?? "—" }),
    make("td", { class: move ? "rank-move moved" : "rank-move", text: moveText(move) }),
    ...values,
  );
}

// Places gained on our own definition; null where either has no rank.
function moveOf(metric, row) {
  const [now, before] = [metric.rank[row], metric.against[row]];
  return now === null || before === null || before === undefined ? null : before - now;
}

function moveText(move) {
  if (move === null) return "—";
  if (move === 0) return "same place";
  return `${move > 0 ? "▲" : "▼"} ${Math.abs(move)} ${move > 0 ? "up" : "down"}`;
}

function movesText(found, variant, metric) {
  if (variant.name === found.own) {
    return `Ordered by ${metric.name} as this suite computes it, which is how MMSA does.`;
  }
  const moved = found.methods.filter((row) => moveOf(metric, row));
  const opening = `By ${metric.name} as ${variant.name} computes it`;
  if (!moved.length) return `${opening}, every row keeps the rank that it has under mmsa.`;
  const furthest = moved.reduce((a, b) =>
    Math.abs(moveOf(metric, b)) > Math.abs(moveOf(metric, a)) ? b : a,
  );
  const path = `from ${metric.against[furthest]} to ${metric.rank[furthest]}`;
  return (
    `${opening}, ${moved.length} of ${found.methods.length} rows change rank against mmsa; ` +
    `furthest: ${found.labels[furthest]}, ${path}.`
  );
}
