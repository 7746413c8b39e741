"use strict";
/* Tables sort by a click on a heading and filter by words and choices; print shows all of it. */

const value = (cell) => cell.dataset.sort ?? cell.textContent.trim();

/* Numbers by size, words by alphabet; what has no number comes last in both directions. */
function compare(a, b, numeric, sign) {
  if (!numeric) return sign * value(a).localeCompare(value(b), "en", { numeric: true });
  const [x, y] = [a, b].map((cell) => parse(value(cell)));
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
  return x === y ? 0 : sign * (x < y ? -1 : 1);
}

const parse = (text) => (/^[+-]?inf$/.test(text) ? (text[0] === "-" ? -Infinity : Infinity) : parseFloat(text));

function sortable(table) {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const sign = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
      const numeric = heading.classList.contains("number");
      const rows = [...table.tBodies[0].rows];
      rows.sort((a, b) => compare(a.cells[column], b.cells[column], numeric, sign));
      table.tBodies[0].append(...rows);
    });
  });
}

function filterable(form, table) {
  const rows = [...table.tBodies[0].rows];
  const apply = () => {
    const words = form.querySelector("input").value.toLowerCase().split(/\s+/);
    const choices = [...form.querySelectorAll("select")];
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      const chosen = choices.every((list) => !list.value || row.dataset[list.dataset.key] === list.value);
      row.hidden = !(chosen && words.every((word) => text.includes(word)));
    }
    const shown = rows.filter((row) => !row.hidden).length;
    form.querySelector("output").value = shown === rows.length ? "" : `${shown} of ${rows.length}`;
  };
  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
}

for (const grid of document.querySelectorAll("[data-grid]")) {
  const table = grid.querySelector("table");
  sortable(table);
  const form = grid.querySelector("form");
  if (form) filterable(form, table);
}

let closed = [];
addEventListener("beforeprint", () => {
  closed = [...document.querySelectorAll("details:not([open])")];
  closed.forEach((part) => { part.open = true; });
});
addEventListener("afterprint", () => closed.forEach((part) => { part.open = false; }));
