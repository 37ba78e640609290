// The utterance browser: search, filters and order over all utterances; a page of them is shown.

const PAGE_SIZE = 10;
const browser = { page: 0, order: [], items: [] };

function startUtterances() {
  const found = DATA.utterances;
  if (!found) return;
  browser.items = utteranceItems(found);
  browser.scale = scaleOf(
    browser.items.flatMap((item) => [item.label, Math.min(...item.low), Math.max(...item.high)]),
    3,
  );
  const videos = [...found.videos].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  byId("utterance-video").append(option("", "any"), ...videos.map((name) => option(name, name)));
  byId("utterance-method").append(
    option("", "all methods"),
    ...found.methods.map((name, m) => option(String(m), DATA.labels[name])),
  );
  for (const id of ["search", "sign", "video", "sort", "method"]) {
    byId(`utterance-${id}`).addEventListener("input", () => findUtterances(found));
  }
  byId("utterance-previous").addEventListener("click", () => turnPage(found, -1));
  byId("utterance-next").addEventListener("click", () => turnPage(found, 1));
  window.addEventListener("hashchange", () => openUtterance(found));
  findUtterances(found);
  openUtterance(found);
}

function utteranceItems(found) {
  const count = found.methods.length;
  const [labels, mean, low, high] = ["labels", "mean", "low", "high"].map((name) =>
    unpack(found[name], found.decimals),
  );
  const own = (values, i) => values.subarray(i * count, (i + 1) * count);
  return found.ids.map((id, i) => {
    const item = { id, place: i, video: found.videos[found.video[i]], label: labels[i] };
    item.text = found.texts ? found.texts[i] : null;
    [item.mean, item.low, item.high] = [own(mean, i), own(low, i), own(high, i)];
    item.searched = `${item.text ?? ""} ${id}`.toLowerCase();
    return item;
  });
}

const average = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

// One number an utterance to order by; of one method where one is chosen.
function measureOf(how, method) {
  const over = (item, each) =>
    method === null ? average(Array.from(item.mean, (_, m) => each(item, m))) : each(item, method);
  if (how === "error") return (item) => -over(item, (i, m) => Math.abs(i.mean[m] - i.label));
  if (how === "spread") return (item) => -over(item, (i, m) => i.high[m] - i.low[m]);
  if (how === "label") return (item) => item.label;
  if (how === "order") return (item) => item.place;
  const sign = how === "agreement" ? 1 : -1;
  return (item) => sign * disagreementOf(item, method);
}

// How far the methods' mean predictions scatter; how far a chosen one is from the average of all.
function disagreementOf(item, method) {
  const middle = average(item.mean);
  if (method !== null) return Math.abs(item.mean[method] - middle);
  return Math.sqrt(average(item.mean.map((value) => (value - middle) ** 2)));
}

function findUtterances(found) {
  const words = byId("utterance-search").value.trim().toLowerCase();
  const sign = byId("utterance-sign").value;
  const video = byId("utterance-video").value;
  const method = chosenMethod();
  const measure = measureOf(byId("utterance-sort").value, method);
  browser.order = browser.items
    .filter((item) => !words || item.searched.includes(words))
    .filter((item) => sign === "" || Math.sign(item.label) === Number(sign))
    .filter((item) => !video || item.video === video)
    .map((item) => [measure(item), item])
    .sort(([a, first], [b, second]) => a - b || first.place - second.place)
    .map(([, item]) => item);
  browser.page = 0;
  showUtterances(found);
}

function chosenMethod() {
  const value = byId("utterance-method").value;
  return value === "" ? null : Number(value);
}

function turnPage(found, by) {
  browser.page += by;
  showUtterances(found);
  byId("utterance-count").scrollIntoView({ block: "start" });
}

function showUtterances(found) {
  const method = chosenMethod();
  const pages = Math.max(1, Math.ceil(browser.order.length / PAGE_SIZE));
  const start = browser.page * PAGE_SIZE;
  const shown = browser.order.slice(start, start + PAGE_SIZE);
  byId("utterance-list").replaceChildren(
    ...shown.map((item) => utteranceEntry(found, item, method)),
  );
  byId("utterance-count").textContent =
    `${browser.order.length} of ${browser.items.length} utterances`;
  byId("utterance-page").textContent = `Page ${browser.page + 1} of ${pages}`;
  byId("utterance-previous").disabled = browser.page === 0;
  byId("utterance-next").disabled = browser.page >= pages - 1;
  const key = byId("utterance-marked");
  key.replaceChildren();
  if (method !== null) {
    const svg = draw("svg", { width: 14, height: 16, "aria-hidden": "true" });
    svg.append(draw("circle", { class: "marked", cx: 7, cy: 8, r: 5 }));
    key.append(svg, ` ${DATA.labels[found.methods[method]]}, with its range over seeds`);
  }
}

function utteranceEntry(found, item, method) {
  const text = item.text === null ? item.id : `“${item.text}”`;
  const link = make("a", { href: `#utterance/${encodeURIComponent(item.id)}`, text: item.id });
  const meta = make("p", { class: "meta" }, link, ` · label ${show(item.label, 2, true)}`);
  const told = make("div", {}, make("p", { class: "text", text }), meta);
  const table = make("details", {}, make("summary", { text: "Every method" }));
  table.addEventListener("toggle", () => {
    if (table.open && table.children.length === 1) table.append(utteranceTable(found, item));
  });
  const picture = make("div", { class: "scale" }, utterancePicture(found, item, method));
  return make("li", { class: "utterance" }, told, picture, table);
}

function utterancePicture(found, item, method) {
  const { low, high, percent } = browser.scale;
  const [least, most] = [Math.min(...item.mean), Math.max(...item.mean)];
  const label =
    `Label ${show(item.label, 2, true)}; mean predictions of ${found.methods.length} methods ` +
    `from ${show(least, 2, true)} to ${show(most, 2, true)}`;
  const svg = picture(46, label);
  svg.append(draw("line", { class: "guide", x1: 0, x2: "100%", y1: 28, y2: 28 }));
  for (const tick of ticksOf(low, high, 6)) {
    const x = percent(tick.value);
    svg.append(draw("line", { class: "guide", x1: x, x2: x, y1: 24, y2: 32 }));
    svg.append(draw("text", { class: "tick", x, y: 44, "text-anchor": "middle", text: tick.text }));
  }
  const at = percent(item.label);
  svg.append(draw("line", { class: "label-mark", x1: at, x2: at, y1: 2, y2: 28 }));
  found.methods.forEach((name, m) => {
    if (m !== method) svg.append(utteranceDot(name, item, m, "dot", 4));
  });
  if (method !== null) {
    const [x1, x2] = [percent(item.low[method]), percent(item.high[method])];
    svg.append(draw("line", { class: "range", x1, x2, y1: 14, y2: 14 }));
    svg.append(utteranceDot(found.methods[method], item, method, "dot marked", 5));
  }
  return svg;
}

function utteranceDot(name, item, m, kind, r) {
  const title = `${DATA.labels[name]}: ${show(item.mean[m], 2, true)}`;
  const place = { class: kind, cx: browser.scale.percent(item.mean[m]), cy: 14, r };
  return draw("circle", place, draw("title", { text: title }));
}

function utteranceTable(found, item) {
  const headings = ["Mean over seeds", "Smallest", "Largest", "Seeds", "Off by"];
  const heading = make(
    "tr",
    {},
    make("th", { scope: "col", text: "Method" }),
    ...headings.map((text) => make("th", { scope: "col", class: "num", text })),
  );
  const rows = found.methods.map((name, m) => {
    const values = [item.mean[m], item.low[m], item.high[m]].map((value) => show(value, 2, true));
    const cells = [...values, found.seeds[m], show(item.mean[m] - item.label, 2, true)];
    return make(
      "tr",
      {},
      make("th", { scope: "row", text: DATA.labels[name] }),
      ...cells.map((text) => make("td", { class: "num", text })),
    );
  });
  const caption = make("caption", { class: "visually-hidden", text: `Predictions for ${item.id}` });
  const table = make("table", {}, caption, make("thead", {}, heading), make("tbody", {}, ...rows));
  makeSortable(table);
  const region = { class: "table-scroll", tabindex: 0, role: "region" };
  return make("div", { ...region, "aria-label": `Predictions for ${item.id}` }, table);
}

// #utterance/<id> leads to one utterance.
function openUtterance(found) {
  const [kind, id] = window.location.hash.slice(1).split("/");
  if (kind !== "utterance" || !id) return;
  const item = browser.items.find((one) => one.id === decodeURIComponent(id));
  if (!item) return;
  browser.order = [item];
  browser.page = 0;
  showUtterances(found);
  byId("utterance-count").textContent = `1 of ${browser.items.length} utterances, by its link`;
  byId("utterances").scrollIntoView();
}
