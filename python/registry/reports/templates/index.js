"use strict";
(() => {
  const PAGE = 200; // rows that a browser lays out at once without being felt
  const FILTERS = {
    kind: (row) => [row.kind],
    supportLevel: (row) => [row.supportLevel],
    language: (row) => [row.language],
    registries: (row) => row.registries ?? [],
    state: (row) => states(row),
  };
  const byId = (id) => document.getElementById(id);
  const connectors = window.CONNECTORS.map((row) => ({ ...row, text: `${row.name} ${row.repository}`.toLowerCase() }));
  let sort = { by: "name", down: false };
  let shown = PAGE;

  function states(row) {
    const found = [];
    if (row.problem) found.push("quarantined");
    if (row.warnings) found.push("with warnings");
    if (row.candidate) found.push("release candidate");
    if (!row.version) found.push("in no registry");
    return found;
  }

  function element(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  const chip = (text, kind = "") => element("span", { class: `chip ${kind}` }, text);

  function icon(row) {
    if (row.hasIcon) return element("img", { class: "icon", alt: "", loading: "lazy", src: `icons/${row.page}.svg` });
    return element("span", { class: "icon letter", "aria-hidden": "true" }, row.name.slice(0, 1).toUpperCase());
  }

  function line(row) {
    const name = element("div", {}, element("a", { href: `connectors/${row.page}.html` }, row.name));
    name.append(element("div", { class: "quiet small" }, row.repository));
    const version = element("td", {}, row.version ? element("code", {}, row.version) : element("span", { class: "quiet" }, "none"));
    if (row.candidate) version.append(" ", chip(row.candidate, "warn"));
    if (row.problem) version.append(" ", chip("quarantined", "bad"));
    if (row.warnings) version.append(" ", chip("warnings", "warn"));
    return element(
      "tr", {},
      element("td", {}, element("div", { class: "connector" }, icon(row), name)),
      version,
      element("td", { class: "wide" }, row.kind ?? ""),
      element("td", {}, row.supportLevel ? chip(row.supportLevel, row.supportLevel === "certified" ? "good" : "") : ""),
      element("td", { class: "wide" }, row.language ?? ""),
      element("td", { class: "wide" }, ...(row.registries ?? []).map((each) => chip(each))),
      element("td", { class: "wide quiet day" }, row.updated ?? ""),
    );
  }

  function compared(a, b) {
    const [left, right] = [a, b].map((row) => String(row[sort.by] ?? ""));
    const order = left.localeCompare(right, "en", { numeric: true, sensitivity: "base" }) || a.name.localeCompare(b.name, "en");
    return sort.down ? -order : order;
  }

  function update() {
    const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = Object.keys(FILTERS).filter((id) => byId(id).value);
    const found = connectors.filter(
      (row) => words.every((word) => row.text.includes(word)) && chosen.every((id) => FILTERS[id](row).includes(byId(id).value)),
    );
    found.sort(compared);
    byId("rows").replaceChildren(...found.slice(0, shown).map(line));
    byId("more").hidden = found.length <= shown;
    const all = connectors.length.toLocaleString("en");
    byId("count").textContent = `${found.length.toLocaleString("en")} of ${all} connectors`;
    for (const head of document.querySelectorAll("th[data-sort]")) {
      if (head.dataset.sort === sort.by) head.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    remember();
  }

  function remember() {
    const said = new URLSearchParams();
    for (const id of ["search", ...Object.keys(FILTERS)]) if (byId(id).value) said.set(id, byId(id).value);
    if (sort.by !== "name" || sort.down) said.set("sort", `${sort.down ? "-" : ""}${sort.by}`);
    history.replaceState(null, "", `#${said}`);
  }

  function recall() {
    const said = new URLSearchParams(location.hash.slice(1));
    for (const id of ["search", ...Object.keys(FILTERS)]) byId(id).value = said.get(id) ?? "";
    const by = said.get("sort") ?? "name";
    sort = { by: by.replace(/^-/, ""), down: by.startsWith("-") };
  }

  for (const [id, values] of Object.entries(FILTERS)) {
    const all = [...new Set(connectors.flatMap(values).filter(Boolean))].sort();
    byId(id).append(element("option", { value: "" }, "all"), ...all.map((each) => element("option", { value: each }, each)));
    const isIdle = all.every((each) => connectors.every((row) => values(row).includes(each))); // it would leave all there
    byId(id).parentElement.hidden = isIdle;
  }
  const again = () => { shown = PAGE; update(); };
  for (const id of ["search", ...Object.keys(FILTERS)]) byId(id).addEventListener("input", again);
  for (const head of document.querySelectorAll("th[data-sort]")) {
    head.firstElementChild.addEventListener("click", () => {
      sort = { by: head.dataset.sort, down: sort.by === head.dataset.sort && !sort.down };
      again();
    });
  }
  byId("clear").addEventListener("click", () => { history.replaceState(null, "", "#"); recall(); again(); byId("search").focus(); });
  byId("more").addEventListener("click", () => { shown += PAGE; update(); });
  window.addEventListener("hashchange", () => { recall(); again(); });
  recall();
  update();
})();
