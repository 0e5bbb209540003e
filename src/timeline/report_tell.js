/* What is said about the thing under the pointer, the legend and the table of lanes. */

/* Details are built of nodes, never of markup: names are other people's. */
function node(name, text, attributes = {}) {
  const element = document.createElement(name);
  element.textContent = text;
  Object.assign(element, attributes);
  return element;
}

function tell(title, sort, facts) {
  const heading = node("b", title);
  if (sort >= 0) {
    const swatch = document.createElement("i");
    swatch.style.background = colors.fills[sort];
    heading.prepend(swatch);
  }
  const items = facts.filter(([, value]) => value !== "").map(([name, value]) => {
    const item = node("span", value);
    item.prepend(node("em", name));
    return item;
  });
  byId("details").replaceChildren(heading, ...items);
}

function tellMessages(at) {
  return (arrowsOf.get(at) || []).map((arrow) => {
    const other = arrow.from === at ? arrow.to : arrow.from;
    return [arrow.from === at ? "to" : "from", packed.groups[lanes[slices.lane[other]].group]];
  });
}

function tellSlice(at) {
  const shape = shapes[slices.shape[at]], lane = lanes[slices.lane[at]];
  const number = (value) => (value < 0 ? "" : String(value));
  const joined = slices.joined.get(at);
  const title = joined ? `${joined.count} short slices, mostly ${sorts[shape.sort].name}` : sliceName(at);
  const length = slices.end[at] - slices.start[at];
  const same = sorts[shape.sort].name === title || joined;
  tell(title, shape.sort, [
    ["", same ? "" : sorts[shape.sort].name],
    ["micro-batch", joined ? "" : number(slices.batch[at])],
    ["stage", number(shape.stage)],
    ["layer", number(shape.layer)],
    ["takes", timeText(length)],
    ["from", placeText(slices.start[at], length)],
    ["to", placeText(slices.end[at], length)],
    ["idle within", joined && joined.idle > 0 ? timeText(joined.idle) : ""],
    ["bytes", shape.bytes > 0 ? bytesText(shape.bytes) : ""],
    ["rate", shape.bytes > 0 && length > 0 ? rateText((shape.bytes / length) * 1e12) : ""],
    ["on", `${packed.groups[lane.group]}, ${lane.name}`],
    ...tellMessages(at),
    ["", slices.critical[at] ? "on the critical path" : ""],
  ]);
}

/* Between two slices. */
function tellIdle(lane, time) {
  const next = firstAfter(lane, time), first = slices.first[lane], last = slices.first[lane + 1];
  const from = next > first ? slices.end[next - 1] : 0, to = next < last ? slices.start[next] : end;
  const label = (at) => sliceName(at) + (slices.batch[at] < 0 || slices.joined.has(at) ? "" : ` ${slices.batch[at]}`);
  tell("idle", -1, [
    ["for", timeText(to - from)],
    ["behind", next > first ? label(next - 1) : ""],
    ["before", next < last ? label(next) : ""],
    ["on", `${packed.groups[lanes[lane].group]}, ${lanes[lane].name}`],
  ]);
}

function tellCurve(counter, time) {
  const at = pointAt(counter, time), peak = counter.values.indexOf(counter.peak);
  tell(counter.name, -1, [
    ["", quantityText(at < 0 ? 0 : counter.values[at], counter.unit)],
    ["at", placeText(time, view.to - view.from)],
    ["peak", quantityText(counter.peak, counter.unit)],
    ["first at", peak < 0 ? "" : placeText(counter.times[peak], view.to - view.from)],
    ["on", packed.groups[counter.group]],
  ]);
}

function tellStep() {
  const joined = packed.quantum > 0 ? `slices below ${timeText(packed.quantum)} are joined` : "";
  const all = lanes.reduce((sum, lane) => sum + lane.slices, 0);
  tell("The step", -1, [
    ["takes", timeText(end)], ["ranks shown", String(packed.groups.length)], ["lanes", String(lanes.length)],
    ["slices", String(all)], ["messages", String(arrows.length)], ["", joined],
  ]);
}

function look() {
  const { x, y } = view.pointer || {};
  const row = view.pointer && x >= labelWidth && y > SCALE ? rowAt(y) : undefined;
  const at = row && row.lane !== undefined ? sliceAt(row.lane, x) : -1;
  view.selected = at;
  if (at >= 0) {
    tellSlice(at);
  } else if (row && row.counter) {
    tellCurve(row.counter, timeAt(x));
  } else if (row) {
    tellIdle(row.lane, timeAt(x));
  } else {
    tellStep();
  }
  redraw();
}

function makeLegend() {
  const used = new Set(shapes.map((shape) => shape.sort));
  byId("legend").replaceChildren(...sorts.flatMap((sort, index) => {
    if (!used.has(index)) {
      return [];
    }
    const item = node("li", sort.name), swatch = node("i", sort.letter);
    swatch.style.background = colors.fills[index];
    swatch.style.color = colors.inks[index];
    item.prepend(swatch);
    return [item];
  }));
}

function makeTable() {
  const cell = (text, right) => node("td", text, { className: right ? "n" : "" });
  byId("lane-rows").replaceChildren(...lanes.map((lane) => {
    const row = document.createElement("tr");
    row.append(cell(packed.groups[lane.group]), cell(lane.name), cell(String(lane.slices), true),
               cell(timeText(lane.busy), true), cell(`${((100 * lane.busy) / end).toFixed(1)} %`, true));
    row.dataset.busy = lane.busy;
    return row;
  }));
}

/* What the page has unpacked, for whoever checks it against the simulation. */
function makeTotals() {
  let busy = 0n, count = 0;
  for (let at = 0; at < slices.count; at++) {
    const joined = slices.joined.get(at) || { count: 1, idle: 0 };
    busy += BigInt(slices.end[at] - slices.start[at] - joined.idle);
    count += joined.count;
  }
  Object.assign(figure.dataset, {
    groups: packed.groups.length, lanes: lanes.length, slices: count, blocks: slices.count, arrows: arrows.length,
    busy, end, peak: Math.max(0, ...counters.map((counter) => counter.peak)),
  });
}
