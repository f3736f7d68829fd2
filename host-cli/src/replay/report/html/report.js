"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const verdicts = [
    ["differs", "differ"],
    ["redacted", "differ because of redaction"],
    ["unplayable", "cannot be replayed"],
    ["equal-in-effect", "equal in effect"],
    ["same", "the same"],
  ];
  const label = { "same": "same", "equal-in-effect": "equal in effect", "differs": "differs", "redacted": "redacted", "unplayable": "unplayable" };
  const rowsAtOnce = 300;
  const diffLinesMax = 1500;

  /** An element with attributes and children; texts stay texts. */
  const make = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key === "onclick") element.addEventListener("click", value);
      else if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  };
  const milliseconds = (us) => (us === undefined || us === null ? "" : `${(us / 1000).toFixed(2)} ms`);

  const shown = new Set(verdicts.map(([verdict]) => verdict));
  const unexpected = data.totals["differs"] + data.totals["redacted"] + data.totals["unplayable"] + data.totals["equal-in-effect"];
  // With something to look at, what came out the same stands back.
  if (unexpected > 0) shown.delete("same");
  let text = "";
  let limit = rowsAtOnce;

  const list = make("ul", { class: "requests", id: "requests" });
  const count = make("span", { class: "count", "aria-live": "polite" });
  const search = make("input", { type: "search", id: "filter", placeholder: "Filter by id, method, path, status or words of a note", "aria-label": "Filter requests", autocomplete: "off" });
  search.addEventListener("input", () => { text = search.value.trim().toLowerCase(); limit = rowsAtOnce; render(); });

  const totals = make("div", { class: "totals", role: "group", "aria-label": "Show by outcome" });
  for (const [verdict, words] of verdicts) {
    const number = data.totals[verdict];
    const button = make("button", { class: "total", type: "button", "data-verdict": verdict, "aria-pressed": String(shown.has(verdict)), disabled: number === 0 },
      make("strong", { class: verdict }, String(number)), make("span", {}, words));
    button.style.borderLeftColor = `var(--${verdict === "equal-in-effect" ? "effect" : verdict})`;
    button.addEventListener("click", () => {
      if (!shown.delete(verdict)) shown.add(verdict);
      button.setAttribute("aria-pressed", String(shown.has(verdict)));
      limit = rowsAtOnce;
      render();
    });
    totals.append(button);
  }

  const all = data.totals.requests + data.totals.cases + data.totals.events;
  const page = document.getElementById("page");
  page.replaceChildren(
    make("header", {}, make("h1", {}, `Replay of ${all} ${all === 1 ? "request" : "requests"}`), make("span", { class: "made" }, data.made)),
    totals,
    make("div", { class: "bar" }, search, count),
    list,
    make("footer", {}, make("kbd", {}, "/"), " filter  ", make("kbd", {}, "\u2191"), " ", make("kbd", {}, "\u2193"), " move  ", make("kbd", {}, "Enter"), " open and close  ", make("kbd", {}, "Esc"), " close"),
  );

  const words = data.requests.map((request) =>
    [request.id, request.method, request.path, request.status, request.now, request.place, request.note, ...(request.notes || [])].join(" ").toLowerCase());

  function render() {
    const found = [];
    data.requests.forEach((request, index) => {
      if (shown.has(request.verdict) && (text === "" || words[index].includes(text))) found.push(index);
    });
    count.textContent = `${found.length} of ${all}`;
    if (found.length === 0) {
      list.replaceChildren(make("li", { class: "empty" }, all === 0 ? "Nothing was replayed." : "No matching requests. Click the outcomes above to show or hide them."));
      return;
    }
    list.replaceChildren(...found.slice(0, limit).map((index) => item(index)));
    if (found.length > limit) {
      list.append(make("li", {}, make("button", { class: "more", type: "button", onclick: () => { limit += rowsAtOnce; render(); } }, `Show ${Math.min(rowsAtOnce, found.length - limit)} more`)));
    }
  }

  function item(index) {
    const request = data.requests[index];
    const changed = request.now !== undefined && request.now !== request.status;
    const status = request.status === undefined || request.status === null ? "" : String(request.status);
    const row = make("button", { class: "row", type: "button", "aria-expanded": "false", "aria-controls": `detail-${index}` },
      make("span", { class: `verdict ${request.verdict}` }, label[request.verdict]),
      make("span", { class: "method" }, request.method),
      make("span", { class: "path", title: request.path }, request.path),
      make("span", { class: "status" }, changed ? `${status} \u2192 ${request.now}` : status),
      make("span", { class: "note", title: request.note }, request.note));
    const entry = make("li", {}, row);
    row.addEventListener("click", () => toggle(entry, row, request, index));
    return entry;
  }

  function toggle(entry, row, request, index) {
    const open = row.getAttribute("aria-expanded") === "true";
    row.setAttribute("aria-expanded", String(!open));
    if (open) entry.lastElementChild.remove();
    else entry.append(detail(request, index));
  }

  function detail(request, index) {
    const element = make("div", { class: "detail", id: `detail-${index}`, role: "region", "aria-label": `Request ${request.id}` });
    const fact = (name, value) => (value ? make("span", {}, `${name} `, make("code", {}, value)) : null);
    element.append(make("p", { class: "facts" }, fact("id", request.id), fact("from", request.place), fact("received", request.received), fact("guest", request.guest && request.guest.slice(0, 12))));
    if (request.notes === undefined) {
      element.append(make("p", {}, request.note || "The report has no details about this request."));
      return element;
    }
    if (request.notes.length > 0) {
      element.append(make("h2", {}, request.verdict === "unplayable" ? "Why" : "What changed"), make("ul", { class: "notes" }, ...request.notes.map((note) => make("li", {}, note))));
    }
    for (const difference of request.differing) {
      element.append(make("h2", {}, difference.what[0].toUpperCase() + difference.what.slice(1)), sideBySide(difference.expected ?? "", difference.actual));
    }
    element.append(make("h2", {}, "As recorded, step by step"), timeline(request.timeline));
    const compared = request.usage.some((row) => row[2] !== null);
    element.append(make("h2", {}, "Cost"), make("table", { class: "usage" },
      make("tr", {}, make("th", {}), make("th", {}, "recorded"), compared ? make("th", {}, "now") : null),
      ...request.usage.map(([name, then, now]) => make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, String(then)), compared ? make("td", {}, now === null ? "" : String(now)) : null))));
    if (request.redacted) {
      element.append(make("h2", {}, "Redacted"), make("ul", { class: "notes" }, ...request.redacted.map((place) => make("li", {}, make("code", {}, place)))));
    }
    return element;
  }

  function timeline(steps) {
    return make("div", { class: "scroll" }, make("ol", { class: "timeline" }, ...steps.map((step) => {
      const lines = step.text.split("\n");
      const brief = lines.map((line) => line.trim()).join(" ").slice(0, 220);
      const body = make("div", { class: "step" }, lines.length > 1
        ? make("details", {}, make("summary", {}, brief), make("pre", {}, step.text))
        : make("pre", {}, step.text));
      if (step.result !== undefined) {
        const answer = step.result === null ? "no answer: the request ended" : step.result;
        const short = answer.split("\n").map((line) => line.trim()).join(" ").slice(0, 220);
        body.append(make("div", { class: "answer" }, make("details", {}, make("summary", {}, `\u2192 ${short}`), make("pre", {}, answer))));
      }
      const took = step.took === undefined ? "" : ` (${milliseconds(step.took)})`;
      return make("li", {}, make("span", { class: "at", title: took }, milliseconds(step.at)), make("span", { class: "kind" }, step.kind), body);
    })));
  }

  /** Both texts line by line, what is common beside each other. */
  function sideBySide(expected, actual) {
    const body = make("tbody");
    const cells = (left, right, leftClass, rightClass) =>
      make("tr", {}, make("td", { class: left === null ? "" : leftClass }, left ?? ""), make("td", { class: right === null ? "" : rightClass }, right ?? ""));
    for (const part of folded(lineDiff(expected === "" ? [] : expected.split("\n"), actual.split("\n")))) {
      if (part.fold) body.append(make("tr", {}, make("td", { class: "fold", colspan: "2" }, `${part.fold} unchanged lines`)));
      else if (part.same !== undefined) body.append(cells(part.same, part.same, "", ""));
      else for (let i = 0; i < Math.max(part.gone.length, part.new.length); i++) {
        body.append(cells(part.gone[i] ?? null, part.new[i] ?? null, "gone", "new"));
      }
    }
    return make("div", { class: "scroll" }, make("table", { class: "diff" }, make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Expected"), make("th", { scope: "col" }, "Now"))), body));
  }

  /** Longest common subsequence of lines; texts too long for it are shown as replaced between what they have in common at both ends. */
  function lineDiff(left, right) {
    let start = 0;
    while (start < left.length && start < right.length && left[start] === right[start]) start++;
    let end = 0;
    while (end < left.length - start && end < right.length - start && left[left.length - 1 - end] === right[right.length - 1 - end]) end++;
    const a = left.slice(start, left.length - end);
    const b = right.slice(start, right.length - end);
    const parts = left.slice(0, start).map((same) => ({ same }));
    if (a.length * b.length > diffLinesMax * diffLinesMax) {
      parts.push({ gone: a, new: b });
    } else {
      const width = b.length + 1;
      const lengths = new Uint32Array((a.length + 1) * width);
      for (let i = a.length - 1; i >= 0; i--) {
        for (let j = b.length - 1; j >= 0; j--) {
          lengths[i * width + j] = a[i] === b[j] ? lengths[(i + 1) * width + j + 1] + 1 : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
        }
      }
      let i = 0, j = 0, change = null;
      while (i < a.length || j < b.length) {
        if (i < a.length && j < b.length && a[i] === b[j]) {
          parts.push({ same: a[i] }); i++; j++; change = null;
          continue;
        }
        if (change === null) { change = { gone: [], new: [] }; parts.push(change); }
        if (j >= b.length || (i < a.length && lengths[(i + 1) * width + j] >= lengths[i * width + j + 1])) change.gone.push(a[i++]);
        else change.new.push(b[j++]);
      }
    }
    parts.push(...left.slice(left.length - end).map((same) => ({ same })));
    return parts;
  }

  /** Long unchanged stretches become one line. */
  function folded(parts) {
    const around = 4;
    const near = new Array(parts.length).fill(false);
    parts.forEach((part, index) => {
      if (part.same === undefined) for (let i = Math.max(0, index - around); i <= Math.min(parts.length - 1, index + around); i++) near[i] = true;
    });
    const out = [];
    parts.forEach((part, index) => {
      if (near[index]) out.push(part);
      else if (out.length > 0 && out[out.length - 1].fold) out[out.length - 1].fold++;
      else out.push({ fold: 1 });
    });
    return out;
  }

  document.addEventListener("keydown", (event) => {
    const rows = [...list.querySelectorAll(".row")];
    const current = rows.indexOf(document.activeElement);
    if (event.key === "/" && document.activeElement !== search) {
      search.focus();
    } else if (event.key === "ArrowDown" && (current >= 0 || document.activeElement === search || document.activeElement === document.body)) {
      rows[Math.min(current + 1, rows.length - 1)]?.focus();
    } else if (event.key === "ArrowUp" && current >= 0) {
      (current === 0 ? search : rows[current - 1]).focus();
    } else if (event.key === "Escape") {
      const row = document.activeElement.closest?.("li")?.querySelector(":scope > .row") ?? rows[current];
      if (row?.getAttribute("aria-expanded") === "true") row.click();
      row?.focus();
      return;
    } else {
      return;
    }
    event.preventDefault();
  });

  render();
  // A single request is what one came for.
  if (data.requests.length === 1) list.querySelector(".row")?.click();
})();
