"use strict";
(() => {
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const compare = (one, other) => (typeof one === "number" && typeof other === "number" ? one - other : collator.compare(one, other));

  function key(cell) {
    const given = cell.dataset.sort ?? cell.textContent.trim();
    return given !== "" && !Number.isNaN(Number(given)) ? Number(given) : given;
  }

  function sort(heading) {
    const headings = [...heading.parentElement.cells];
    const column = headings.indexOf(heading);
    const direction = heading.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
    const body = heading.closest("table").tBodies[0];
    const keyed = [...body.rows].map((row) => [key(row.cells[column]), row]);
    keyed.sort(([one], [other]) => (direction === "ascending" ? compare(one, other) : compare(other, one)));
    headings.forEach((each) => each.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", direction);
    body.append(...keyed.map(([, row]) => row));
  }

  for (const heading of document.querySelectorAll("thead th")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    button.addEventListener("click", () => sort(heading));
    heading.append(button);
  }

  const search = document.querySelector(".filter");
  const [input, output] = [search.querySelector("input"), search.querySelector("output")];
  let texts = null;

  function filter() {
    texts ??= [...document.querySelectorAll("tbody tr")].map((row) => [row, row.textContent.toLowerCase()]);
    const wanted = input.value.trim().toLowerCase();
    let shown = 0;
    for (const [row, text] of texts) {
      row.hidden = !text.includes(wanted);
      shown += row.hidden ? 0 : 1;
    }
    output.value = wanted ? `${shown.toLocaleString("en")} of ${texts.length.toLocaleString("en")} rows` : "";
  }

  search.hidden = false;
  input.addEventListener("input", filter);
  // A reload keeps what was typed, and a link leads to its row whatever was filtered.
  if (input.value) filter();
  addEventListener("hashchange", () => {
    if (document.querySelector(":target")?.hidden) {
      input.value = "";
      filter();
      document.querySelector(":target").scrollIntoView();
    }
  });
})();
