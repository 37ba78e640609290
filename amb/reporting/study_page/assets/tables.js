// Sorting: a heading is a button; it sorts best first, then worst first, then restores the order.

const UNITS = { k: 1e3, M: 1e6, B: 1e9 };

// The number that a cell starts with; NaN where it starts with none. Marks and intervals follow it.
function numberIn(text) {
  const found = text.trim().match(/^[<>]?\s*([−+-]?)\s*(\d[\d,]*(?:\.\d+)?|\.\d+)(?:\s*([kMB])\b)?/);
  if (!found) return NaN;
  const size = Number(found[2].replaceAll(",", "")) * (UNITS[found[3]] ?? 1);
  return found[1] === "−" || found[1] === "-" ? -size : size;
}

function columnOf(rows, index) {
  const texts = rows.map((row) => row.cells[index].textContent.trim());
  const numbers = texts.map(numberIn);
  const filled = texts.filter((text) => text && text !== "—" && text !== "undefined").length;
  const isNumeric = filled > 0 && numbers.filter((n) => !Number.isNaN(n)).length > filled / 2;
  return { texts, numbers, isNumeric };
}

// Rows without a value stand last in either direction; equal rows keep their order.
function sortedRows(rows, index, direction) {
  const { texts, numbers, isNumeric } = columnOf(rows, index);
  const sign = direction === "ascending" ? 1 : -1;
  const compare = (a, b) => {
    if (!isNumeric) return sign * texts[a].localeCompare(texts[b], "en", { numeric: true });
    const missing = Number.isNaN(numbers[a]) - Number.isNaN(numbers[b]);
    return missing || (Number.isNaN(numbers[a]) ? 0 : sign * (numbers[a] - numbers[b]));
  };
  const order = rows.map((_, i) => i).sort((a, b) => compare(a, b) || a - b);
  return order.map((i) => rows[i]);
}

function nextDirection(heading, best) {
  const worst = best === "ascending" ? "descending" : "ascending";
  const current = heading.getAttribute("aria-sort");
  return current === best ? worst : current === worst ? null : best;
}

function sortBy(table, heading, original) {
  const name = heading.textContent.trim();
  const direction = nextDirection(heading, name.includes("↑") ? "descending" : "ascending");
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  if (direction) heading.setAttribute("aria-sort", direction);
  const rows = direction ? sortedRows(original, heading.cellIndex, direction) : original;
  table.classList.toggle("sorted-blocks", Boolean(direction));
  table.tBodies[0].append(...rows);
  announce(direction ? `Sorted by ${name}, ${direction}` : "In the study's order");
}

function makeSortable(table) {
  const original = [...table.tBodies[0].rows];
  if (original.length < 2) return;
  for (const heading of table.tHead.rows[0].cells) {
    const button = make("button", { type: "button" });
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => sortBy(table, heading, original));
  }
}

function startTables() {
  document.querySelectorAll("main table.sortable").forEach((table) => {
    if (table.tHead.rows.length) makeSortable(table);
  });
}
