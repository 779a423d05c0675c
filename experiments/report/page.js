// Sorting, tooltips, toggles and the theme. Without it the page shows the same numbers.
"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  for (const element of all("[hidden]")) {
    if (element.id !== "tip") element.hidden = false;
  }

  // --- theme: as the system, light, dark ---
  const themes = ["auto", "light", "dark"];
  const theme = document.getElementById("theme");
  const recall = () => { try { return localStorage.getItem("sar-bench-theme"); } catch { return null; } };
  const setTheme = (name) => {
    document.documentElement.dataset.theme = name;
    theme.textContent = "Theme: " + (name === "auto" ? "as the system" : name);
    try { localStorage.setItem("sar-bench-theme", name); } catch { /* not kept */ }
  };
  if (themes.includes(recall())) setTheme(recall());
  theme.addEventListener("click", () => {
    setTheme(themes[(themes.indexOf(document.documentElement.dataset.theme) + 1) % themes.length]);
  });

  // --- sorting: down, up, and back to the order of the paper ---
  for (const table of all("table")) {
    const body = table.tBodies[0];
    const original = [...body.rows];
    const value = (row, column) => {
      const cell = row.cells[column];
      const text = (cell.dataset.mean ?? cell.textContent).trim();
      // A number, perhaps with a spread, an interval or a share after it; "1/2" and "9 min" are texts.
      const found = /^[<>≥≤]?\s*([-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?)(?=$|\s*[±%(\[†*,])/.exec(text);
      return found ? Number(found[1]) : null;
    };
    const text = (row, column) => row.cells[column].textContent.trim();
    for (const button of all("button.sort", table)) {
      button.addEventListener("click", () => {
        const head = button.closest("th, td");
        const before = head.getAttribute("aria-sort");
        const column = Number(button.dataset.column);
        const numeric = original.filter((row) => value(row, column) !== null).length * 2 > original.length;
        const first = numeric ? "descending" : "ascending";
        const second = numeric ? "ascending" : "descending";
        const order = before === null ? first : before === first ? second : null;
        for (const other of all("[aria-sort]", table)) other.removeAttribute("aria-sort");
        let rows = original;
        if (order !== null) {
          head.setAttribute("aria-sort", order);
          const sign = order === "ascending" ? 1 : -1;
          rows = [...original].sort((a, b) => {
            if (!numeric) return sign * text(a, column).localeCompare(text(b, column), "en", { numeric: true });
            const [x, y] = [value(a, column), value(b, column)];
            return x === null || y === null ? (x === null) - (y === null) : sign * (x - y);
          });
        }
        body.append(...rows);
      });
    }
  }

  // --- tooltips of cells: on hover, on focus, pinned by a click ---
  const tip = document.getElementById("tip");
  let shown = null;
  let pinned = false;
  const hide = () => {
    tip.hidden = true;
    pinned = false;
    shown?.removeAttribute("aria-describedby");
    shown = null;
  };
  const show = (cell) => {
    if (shown !== cell) hide();
    shown = cell;
    tip.textContent = cell.querySelector(".tip").textContent;
    tip.hidden = false;
    cell.setAttribute("aria-describedby", "tip");
    place(cell);
  };
  const place = (cell) => {
    const box = cell.getBoundingClientRect();
    const left = Math.min(box.left, document.documentElement.clientWidth - tip.offsetWidth - 8);
    const below = box.bottom + tip.offsetHeight + 8 < innerHeight;
    tip.style.left = Math.max(8, left) + "px";
    tip.style.top = (below ? box.bottom + 4 : Math.max(4, box.top - tip.offsetHeight - 4)) + "px";
  };
  for (const table of all("table.dice")) {
    const visible = (row) => [...row.cells].filter((cell) => cell.matches("td[data-cell]") && cell.offsetParent !== null);
    const first = table.querySelector("td[data-cell]");
    if (first) first.tabIndex = 0;
    table.addEventListener("pointerover", (event) => {
      const cell = event.target.closest("td[data-cell]");
      if (cell && !pinned) show(cell);
    });
    table.addEventListener("pointerleave", () => { if (!pinned) hide(); });
    table.addEventListener("focusin", (event) => {
      if (!event.target.matches("td[data-cell]")) return;
      for (const cell of all("td[tabindex='0']", table)) cell.tabIndex = -1;
      event.target.tabIndex = 0;
      show(event.target);
    });
    table.addEventListener("focusout", hide);
    table.addEventListener("click", (event) => {
      const cell = event.target.closest("td[data-cell]");
      if (cell) { show(cell); pinned = true; }
    });
    table.addEventListener("keydown", (event) => {
      const cell = event.target.closest("td[data-cell]");
      if (!cell) return;
      const rows = [...table.tBodies[0].rows];
      const row = rows.indexOf(cell.parentElement);
      const column = visible(rows[row]).indexOf(cell);
      const moves = {
        ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1], ArrowUp: [row - 1, column],
        ArrowDown: [row + 1, column], Home: [row, 0], End: [row, visible(rows[row]).length - 1],
      };
      const [toRow, toColumn] = moves[event.key] ?? [];
      const next = rows[toRow] && visible(rows[toRow])[toColumn];
      if (next) { event.preventDefault(); next.focus(); }
    });
  }
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  document.addEventListener("click", (event) => {
    if (pinned && !event.target.closest("td[data-cell], #tip")) hide();
  });
  addEventListener("scroll", () => {
    if (shown && (pinned || shown === document.activeElement)) place(shown);
    else hide();
  }, { passive: true, capture: true });

  // --- measured, published or both ---
  for (const choice of all("fieldset.toggle[data-for]")) {
    const table = document.getElementById(choice.dataset.for);
    choice.addEventListener("change", (event) => {
      table.dataset.show = event.target.value;
      for (const head of all("th[data-columns]", table)) {
        head.colSpan = Number(head.dataset.columns) * (event.target.value === "both" ? 2 : 1);
      }
      const first = all("td[data-cell]", table).find((cell) => cell.offsetParent !== null);
      for (const cell of all("td[tabindex='0']", table)) cell.tabIndex = -1;
      if (first) first.tabIndex = 0;
    });
  }

  // --- claims by verdict, outlines of example cases ---
  for (const filter of all("fieldset.filter")) {
    filter.addEventListener("change", (event) => {
      for (const row of all("tr[data-claim]")) {
        row.hidden = event.target.value !== "" && !row.dataset.verdict.split(" ").includes(event.target.value);
      }
    });
  }
  for (const overlays of all("fieldset.overlays")) {
    overlays.addEventListener("change", (event) => {
      document.body.classList.toggle("without-" + event.target.value, !event.target.checked);
    });
  }

  // --- a link to what is folded or toggled away shows it; paper shows the evidence of claims ---
  const reveal = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (!target) return;
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    const table = target.closest("table.dice");
    if (table && target.offsetParent === null) {
      document.querySelector(`fieldset[data-for="${table.id}"] input[value="both"]`).click();
    }
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  document.addEventListener("click", (event) => {  // also where the address stays the same
    if (event.target.closest("a[href^='#']")) setTimeout(reveal);
  });
  reveal();
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all(".claims details:not([open])");
    for (const fold of closed) fold.open = true;
  });
  addEventListener("afterprint", () => { for (const fold of closed) fold.open = false; });
})();
