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

  function button(text, work) {
    const made = document.createElement("button");
    made.type = "button";
    made.append(text);
    made.addEventListener("click", work);
    return made;
  }

  for (const heading of document.querySelectorAll("thead th")) heading.replaceChildren(button(heading.textContent, () => sort(heading)));

  // The same texts as in the files beside the page.
  function plain(node) {
    if (node.nodeType === Node.TEXT_NODE) return node.data.trim() === "," ? "" : node.data.trim();
    if (node.matches(".mark")) return node.lastChild.data.trim();
    if (node.matches(".addresses")) return [...node.children].map((link) => link.getAttribute("href")).join("; ");
    return (node.querySelector("pre") ?? node).textContent.trim();
  }

  function records(table) {
    const titles = [...table.tHead.rows[0].cells].map((heading) => heading.textContent);
    const rows = [...table.tBodies[0].rows].filter((row) => !row.hidden);
    return [titles, rows.map((row) => [...row.cells].map((cell) => [...cell.childNodes].map(plain).filter(Boolean).join("; ")))];
  }

  // A spreadsheet takes what begins like this for a formula.
  const quoted = (text) => `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
  const formats = {
    csv: (titles, rows) => "\ufeff" + [titles, ...rows].map((row) => row.map(quoted).join(",") + "\r\n").join(""),
    json: (titles, rows) => JSON.stringify(rows.map((row) => Object.fromEntries(row.map((text, place) => [titles[place], text]))), null, 1),
  };

  function save(table, format) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([formats[format](...records(table))], { type: `text/${format};charset=utf-8` }));
    link.download = `${document.body.dataset.stem}-${table.id.replace("table-", "")}.${format}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }

  for (const table of document.querySelectorAll("table")) {
    const files = document.createElement("p");
    files.className = "files";
    files.append(...Object.keys(formats).map((format) => button(format.toUpperCase(), () => save(table, format))));
    const heading = table.previousElementSibling;
    files.querySelectorAll("button").forEach((each) => each.setAttribute("aria-label", `${heading.textContent} as ${each.textContent}`));
    heading.after(files);
  }

  const search = document.querySelector(".filter");
  const [input, output] = [search.querySelector("input"), search.querySelector("output")];
  const [severity, cluster] = ["severity", "cluster"].map((id) => document.getElementById(id));
  const reset = button("Reset", () => clear());
  output.before(reset);
  const marks = { "": null, problem: ".mark.problem", warning: ".mark.problem, .mark.warning" };
  let known = null;

  function read() {
    const found = [];
    for (const table of document.querySelectorAll("table:not(.fixed)")) {
      const place = [...table.tHead.rows[0].cells].findIndex((heading) => heading.textContent === "Cluster");
      for (const row of table.tBodies[0].rows) found.push({ row, text: row.textContent.toLowerCase(), cluster: row.cells[place]?.textContent });
    }
    return found;
  }

  function filter() {
    known ??= read();
    const wanted = input.value.trim().toLowerCase();
    const [marked, place] = [marks[severity.value], cluster?.value];
    let shown = 0;
    for (const { row, text, cluster: of } of known) {
      row.hidden = !text.includes(wanted) || Boolean(place && of !== place) || Boolean(marked && !row.querySelector(marked));
      shown += row.hidden ? 0 : 1;
    }
    const isFiltered = wanted || marked || place;
    output.value = isFiltered ? `${shown.toLocaleString("en")} of ${known.length.toLocaleString("en")} rows` : "";
    reset.disabled = !isFiltered;
    search.classList.toggle("unused", !isFiltered);
  }

  function clear() {
    input.value = severity.value = "";
    if (cluster) cluster.value = "";
    filter();
  }

  search.hidden = false;
  reset.disabled = true;
  search.classList.add("unused");
  for (const each of [input, severity, cluster]) each?.addEventListener("input", filter);
  // A reload keeps what was typed, and a link leads to its row whatever was filtered.
  if (input.value || severity.value || cluster?.value) filter();
  addEventListener("hashchange", () => {
    if (document.querySelector(":target")?.hidden) {
      clear();
      document.querySelector(":target").scrollIntoView();
    }
  });
})();
