"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const kinds = data.kind_names;
const by = (id) => document.getElementById(id);
let version, path;

function make(tag, text, className) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
}
const colour = (kind) => `var(--k${Math.max(0, kinds.indexOf(kind))})`;
const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
const share = (size, whole) => (whole ? `${((100 * size) / whole).toFixed(1)} %` : "");
function bytes(size) {
  if (size >= 1e6) return `${(size / 1e6).toFixed(1)} MB`;
  return size >= 1e3 ? `${(size / 1e3).toFixed(1)} kB` : `${size} B`;
}
const time = (micro) => (micro >= 1e6 ? `${(micro / 1e6).toFixed(2)} s` : `${(micro / 1e3).toFixed(1)} ms`);

function bar(target, sizes, whole) {
  target.replaceChildren(...kinds.filter((kind) => sizes[kind]).map((kind) => {
    const piece = make("i");
    piece.style.width = `${(100 * sizes[kind]) / whole}%`;
    piece.style.background = colour(kind);
    piece.title = `${kind}: ${bytes(sizes[kind])}`;
    return piece;
  }));
  return target;
}

// Facts, and what is of which kind

function facts() {
  by("title").textContent = `${version.name} ${version.version}`;
  by("source").textContent = data.source;
  const python = `${version.python.version}${version.python.included ? "" : ", the target's own"}`;
  const rows = [["Size", `${bytes(version.size)} in ${count(version.files, "file")}`]];
  if (data.packed !== null) rows.push(["Archive", `${bytes(data.packed)}, ${data.format}`]);
  rows.push(["Target", version.target]);
  if (version.glibc) rows.push(["glibc", `${version.glibc} or newer`]);
  rows.push(["Python", python], ["Mode", version.mode]);
  if (version.stdlib["included"]) {
    rows.push(["Standard library", `${version.stdlib["included"]} modules, ${version.stdlib["left out"]} left out`]);
  }
  if (data.versions.length > 1) rows.push(["In this root", count(data.versions.length, "version") + (version.boots ? ", this one boots" : "")]);
  by("facts").replaceChildren(...rows.map(([term, text]) => {
    const each = make("div");
    each.append(make("dt", term), make("dd", text));
    return each;
  }));
}

function composition() {
  bar(by("kinds"), version.kinds, version.size);
  by("legend").replaceChildren(...kinds.filter((kind) => version.kinds[kind]).map((kind) => {
    const item = make("li");
    const mark = make("i");
    mark.style.background = colour(kind);
    item.append(mark, `${kind} `, make("b", bytes(version.kinds[kind])), ` ${share(version.kinds[kind], version.size)}`);
    return item;
  }));
  by("kinds").setAttribute("aria-label", by("legend").textContent);
}

// The treemap (squarified: Bruls, Huizing, van Wijk, 2000)

function squarify(nodes, x, y, width, height, place) {
  nodes = nodes.filter((node) => node[1] > 0).sort((a, b) => b[1] - a[1]);
  let total = nodes.reduce((sum, node) => sum + node[1], 0);
  let at = 0;
  while (at < nodes.length && width > 0 && height > 0) {
    const side = Math.min(width, height);
    const scale = (width * height) / total;
    let sum = 0, worst = Infinity, end = at;
    while (end < nodes.length) {
      const next = sum + nodes[end][1];
      const thick = (next * scale) / side;
      const ratio = Math.max(...[nodes[at], nodes[end]].map((node) => {
        const long = (node[1] * scale) / thick;
        return Math.max(long / thick, thick / long);
      }));
      if (ratio > worst) break;
      worst = ratio; sum = next; end += 1;
    }
    const thick = (sum * scale) / side;
    let offset = 0;
    for (const node of nodes.slice(at, end)) {
      const long = (node[1] * scale) / thick;
      if (width >= height) place(node, x, y + offset, thick, long);
      else place(node, x + offset, y, long, thick);
      offset += long;
    }
    if (width >= height) { x += thick; width -= thick; } else { y += thick; height -= thick; }
    total -= sum; at = end;
  }
}

function mainKind(node) {
  const sizes = {};
  (function add(each) {
    if (each[2]) sizes[each[2]] = (sizes[each[2]] || 0) + each[1];
    each[3].forEach(add);
  })(node);
  return Object.keys(sizes).sort((a, b) => sizes[b] - sizes[a])[0];
}

function box(node, x, y, width, height, className, target) {
  const element = make("button", undefined, className);
  element.type = "button";
  Object.assign(element.style, { left: `${x}px`, top: `${y}px`, width: `${Math.max(1, width - 1)}px`, height: `${Math.max(1, height - 1)}px` });
  const label = `${node[0]} ${bytes(node[1])}`;
  element.title = `${label}, ${share(node[1], version.size)}`;
  element.setAttribute("aria-label", element.title);
  if (width > 44 && height > 17) element.append(make("span", label));
  if (node[3].length) element.onclick = (event) => { event.stopPropagation(); go([...path, ...target]); };
  else element.tabIndex = -1;
  by("map").append(element);
  return element;
}

function treemap() {
  const map = by("map");
  const node = path[path.length - 1];
  map.replaceChildren();
  const title = 18;
  (function fill(list, x, y, width, height, above) {
    squarify(list, x, y, width, height, (child, left, top, wide, high) => {
      if (wide < 2 || high < 2) return;
      const target = [...above, child];
      const nested = child[3].length && wide > 56 && high > 44 && above.length < 5;
      const element = box(child, left, top, wide, high, nested ? "group" : child[3].length ? "file deep" : "file", target);
      if (nested) fill(child[3], left + 2, top + title, wide - 5, high - title - 3, target);
      else element.style.background = colour(mainKind(child));
    });
  })(node[3], 0, 0, map.clientWidth, map.clientHeight, []);
  by("crumbs").replaceChildren(...path.flatMap((each, number) => {
    const name = `${each[0] || version.name} ${bytes(each[1])}`;
    if (number === path.length - 1) return [make("span", name)];
    const button = make("button", name);
    button.type = "button";
    button.onclick = () => go(path.slice(0, number + 1));
    return [button, "/"];
  }));
}

function go(to) {
  path = to;
  treemap();
}

// The waterfall of a start

function waterfall() {
  const target = by("waterfall");
  target.replaceChildren();
  const total = version.start.reduce((sum, each) => sum + each[2], 0);
  if (!version.start.length) {
    by("start-note").textContent = `Not available. ${version.start_missing}`;
    return;
  }
  const number = (function size(list) { return list.reduce((sum, each) => sum + 1 + size(each[3]), 0); })(version.start.flatMap((each) => each[3]));
  by("start-note").textContent = `${time(total)} from the process to the first call of an application, ${count(number, "module")} imported: `
    + "measured on the machine that wrote this page, with the files in memory; measuring itself costs time, and env.sh and vm.args do not take part. "
    + "Dark is the own time of a phase or a module, pale what it imports. Imports that take less than a thousandth of the whole are not shown.";
  const axis = make("div", undefined, "axis");
  axis.append(...[0, 0.25, 0.5, 0.75, 1].map((part) => make("span", time(total * part))));
  target.append(axis);
  const visible = (each) => each[4] || each[2] >= total / 1000;

  function rows(list, start, depth) {
    return list.flatMap((each) => {
      const begin = start;
      start += each[2];
      return !depth || visible(each) ? row(each, begin, depth) : [];
    });
  }
  function row(each, begin, depth) {
    const inner = each[3].filter(visible);
    let open = inner.length > 0 && each[2] > total / 12;
    const style = depth ? "row" : "row phase";
    const line = make("button", undefined, style);
    line.type = "button";
    const name = make("span", each[0]);
    name.style.paddingLeft = `${Math.min(depth, 12) * 10}px`;
    const chart = make("div");
    const whole = make("i"), alone = make("i"), told = make("em", time(each[2]));
    const left = (100 * begin) / total, wide = (100 * each[2]) / total, own = (100 * each[1]) / total;
    Object.assign(whole.style, { left: `${left}%`, width: `${wide}%` });
    Object.assign(alone.style, { left: `${left + wide - own}%`, width: `${own}%` });
    if (left > 40) told.style.right = `${100 - left}%`;
    else if (left + wide < 65) told.style.left = `${left + wide}%`;
    else { told.style.left = `${left}%`; told.style.color = "var(--ink)"; }
    chart.append(whole, alone, told);
    line.append(name, chart);
    line.title = `${each[0]}: ${time(each[2])}, of which ${time(each[1])} its own`;
    const problem = each[4] ? [make("p", `Not complete here: ${each[4]}`, "problem")] : [];
    const below = make("div");
    function show() {
      if (!inner.length) return;
      line.className = `${style} ${open ? "open" : "shut"}`;
      line.setAttribute("aria-expanded", open);
      below.replaceChildren(...(open ? rows(each[3], begin, depth + 1) : []));
    }
    line.onclick = () => { open = !open; show(); };
    show();
    return [line, ...problem, below];
  }
  const ready = make("div", undefined, "row phase ready");
  ready.append(make("span", "Ready"), make("div", `after ${time(total)}`));
  target.append(...rows(version.start, 0, 0), ready);
}

// Tables

function table(target, titles, rows) {
  const head = make("tr");
  head.append(...titles.map((title) => make("th", title.replace(">", ""), title.startsWith(">") ? "number" : "")));
  target.replaceChildren(head, ...rows.map((cells) => {
    const line = make("tr");
    line.append(...cells.map((cell, number) => {
      const place = make("td", undefined, titles[number].startsWith(">") ? "number" : titles[number] === "why" ? "why" : "");
      place.append(cell);
      return place;
    }));
    return line;
  }));
}

function tables() {
  table(by("applications"), ["application", "mode", "kind", "runs"], version.applications.map((each) => [
    each.name, each.mode, each.kind, make("code", each.command ? each.command.join(" ") : each.start || ""),
  ]));
  table(by("parts"), ["name", "version", "mode", ">size", ">share", ">files", "kinds", "why"], version.parts.map((part) => [
    part.name, part.version || "–", part.mode || "–", bytes(part.size), share(part.size, version.size),
    part.files.toLocaleString("en"), bar(make("div", undefined, "bar"), part.kinds, version.parts[0].size), part.why.join(", "),
  ]));
}

function search() {
  const wanted = by("search").value.trim().toLowerCase();
  const names = Object.keys(version.why);
  by("stdlib-note").textContent = names.length ? "" : "The whole standard library is in this release.";
  by("search").hidden = !names.length;
  const found = names.filter((name) => name.toLowerCase().includes(wanted));
  found.sort((a, b) => (b.toLowerCase() === wanted) - (a.toLowerCase() === wanted) || a.localeCompare(b));
  by("why").replaceChildren(...found.slice(0, wanted ? 30 : 6).map((name) => {
    const chain = [name];
    while (version.why[chain[chain.length - 1]] && !chain.includes(version.why[chain[chain.length - 1]])) chain.push(version.why[chain[chain.length - 1]]);
    const item = make("li");
    item.append(make("code", chain.join(" ← ")));
    return item;
  }));
  if (names.length) by("stdlib-note").textContent = `${found.length} of ${count(names.length, "module")}`;
}

function show(number) {
  version = data.versions[number];
  path = [version.tree];
  facts(); composition(); treemap(); waterfall(); tables(); search();
}

by("versions").replaceChildren(...data.versions.map((each, number) => {
  const option = make("option", each.version + (each.boots ? " (boots)" : ""));
  option.value = number;
  return option;
}));
by("choice").hidden = data.versions.length < 2;
by("versions").onchange = () => show(Number(by("versions").value));
by("search").oninput = search;
by("footer").textContent = `Written by hatch-release ${data.tool}.`;
let pending;
window.onresize = () => { clearTimeout(pending); pending = setTimeout(treemap, 100); };
const first = Math.max(0, data.versions.findIndex((each) => each.boots));
by("versions").value = first;
show(first);
