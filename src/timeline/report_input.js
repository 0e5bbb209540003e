/* What a reader does: zoom, move, look at a slice, switch; then the page is begun. */

/* The part of the step that is seen, kept within it. */
function show(from, to) {
  let span = Math.max(SHORTEST_VIEW, to - from);
  span = span > end * 0.999999 ? end : span;
  view.from = Math.min(Math.max(0, from), end - span);
  view.to = view.from + span;
  redraw();
}

function zoom(factor, x = labelWidth + size.plot / 2) {
  const time = timeAt(x), span = Math.min(end, Math.max(SHORTEST_VIEW, (view.to - view.from) * factor));
  const share = (time - view.from) / (view.to - view.from);
  show(time - share * span, time + (1 - share) * span);
}

const move = (pixels) => {
  const time = (pixels / size.plot) * (view.to - view.from);
  show(view.from + time, view.to + time);
};
const isWhole = () => view.to - view.from >= end;

function placeOf(event) {
  const box = plot.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}

function rowAt(y) {
  const place = y + scroll.scrollTop;
  return rows.find((row) => place >= row.top - 1 && place <= row.top + row.height + 1);
}

/* The slice of a lane at a time, or the nearest within three pixels; -1: none. */
function sliceAt(lane, x) {
  const at = firstAfter(lane, timeAt(x));
  const distance = (other) =>
    other < slices.first[lane] || other >= slices.first[lane + 1]
      ? Infinity : Math.max(xOf(slices.start[other]) - x, x - xOf(slices.end[other]), 0);
  const best = distance(at - 1) < distance(at) ? at - 1 : at;
  return distance(best) <= 3 ? best : -1;
}

/* Selects a slice and brings it into view. */
function select(at) {
  view.selected = at;
  if (slices.start[at] < view.from || slices.end[at] > view.to) {
    const span = view.to - view.from, middle = (slices.start[at] + slices.end[at]) / 2;
    show(middle - span / 2, middle + span / 2);
  }
  const row = rows[rowOfLane[slices.lane[at]]];
  if (row.top - SCALE - 8 < scroll.scrollTop) {
    scroll.scrollTop = row.top - SCALE - 8;
  } else if (row.top + row.height + 8 > scroll.scrollTop + scroll.clientHeight) {
    scroll.scrollTop = row.top + row.height + 8 - scroll.clientHeight;
  }
  tellSlice(at);
  redraw();
}

/* The neighbour in the lane, or the slice nearest in time in the next lane up or down that has one. */
function step(along, down) {
  const filled = rows.filter((row) => row.lane !== undefined && lanes[row.lane].slices > 0);
  if (filled.length === 0) {
    return;
  }
  if (view.selected < 0 || rowOfLane[slices.lane[view.selected]] < 0) {
    select(Math.min(firstAfter(filled[0].lane, view.from), slices.first[filled[0].lane + 1] - 1));
    return;
  }
  const lane = slices.lane[view.selected];
  const place = filled.findIndex((row) => row.lane === lane);
  const target = filled[Math.min(filled.length - 1, Math.max(0, place + down))].lane;
  const middle = (slices.start[view.selected] + slices.end[view.selected]) / 2;
  const at = target === lane ? view.selected + along : firstAfter(target, middle);
  select(Math.min(Math.max(at, slices.first[target]), slices.first[target + 1] - 1));
}

function zoomToSelected() {
  if (view.selected >= 0) {
    const length = Math.max(slices.end[view.selected] - slices.start[view.selected], SHORTEST_VIEW / 3);
    show(slices.start[view.selected] - length, slices.start[view.selected] + 2 * length);
  }
}

function toggle(name) {
  byId(name).checked = !byId(name).checked;
  byId(name).dispatchEvent(new Event("change"));
}

const KEYS = {
  "+": () => zoom(0.6, keyX()), "=": () => zoom(0.6, keyX()), "-": () => zoom(1 / 0.6, keyX()),
  "_": () => zoom(1 / 0.6, keyX()), "0": () => show(0, end), Home: () => show(0, end), Enter: zoomToSelected,
  c: () => toggle("critical"), ArrowLeft: () => step(-1, 0), ArrowRight: () => step(1, 0), ArrowUp: () => step(0, -1),
  ArrowDown: () => step(0, 1),
  Escape: () => {
    view.pointer = null;
    look();
  },
};
const SHIFT_KEYS = {
  ArrowLeft: () => move(-size.plot / 6), ArrowRight: () => move(size.plot / 6),
  ArrowUp: () => scroll.scrollBy(0, -3 * bar), ArrowDown: () => scroll.scrollBy(0, 3 * bar),
};

/* Keys zoom around the selected slice if it is seen. */
function keyX() {
  const x = view.selected < 0 ? -1 : xOf((slices.start[view.selected] + slices.end[view.selected]) / 2);
  return x > labelWidth && x < labelWidth + size.plot ? x : undefined;
}

plot.addEventListener("keydown", (event) => {
  const action = (event.shiftKey && SHIFT_KEYS[event.key]) || KEYS[event.key];
  if (action && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    action();
  }
});

/* A wheel over the lanes zooms; one that would zoom out further than the whole step moves the page. */
plot.addEventListener("wheel", (event) => {
  const { x } = placeOf(event);
  const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
  const lines = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
  if (x < labelWidth || (isWhole() && (sideways || event.deltaY > 0) && !event.ctrlKey)) {
    return;
  }
  event.preventDefault();
  if (sideways) {
    move((event.deltaX || event.deltaY) * lines);
  } else {
    zoom(Math.exp(Math.min(1, Math.max(-1, event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.002)))), x);
  }
}, { passive: false });

/* One pointer moves, two pinch. */
const held = new Map();
plot.addEventListener("pointerdown", (event) => {
  plot.setPointerCapture(event.pointerId);
  held.set(event.pointerId, placeOf(event));
});
plot.addEventListener("pointermove", (event) => {
  const place = placeOf(event), before = held.get(event.pointerId);
  view.pointer = place;
  if (before && held.size === 1 && event.buttons !== 0) {
    plot.classList.add("dragging");
    move(before.x - place.x);
    scroll.scrollTop += event.pointerType === "mouse" ? before.y - place.y : 0;
  } else if (before && held.size === 2) {
    const [other] = [...held].filter(([id]) => id !== event.pointerId).map(([, value]) => value);
    const distance = Math.abs(place.x - other.x), earlier = Math.abs(before.x - other.x);
    zoom(Math.max(earlier, 8) / Math.max(distance, 8), (place.x + other.x) / 2);
  }
  if (before) {
    held.set(event.pointerId, place);
  }
  look();
});
for (const name of ["pointerup", "pointercancel"]) {
  plot.addEventListener(name, (event) => {
    held.delete(event.pointerId);
    plot.classList.remove("dragging");
  });
}
plot.addEventListener("pointerleave", () => {
  view.pointer = null;
  look();
});
plot.addEventListener("dblclick", () => show(0, end));
scroll.addEventListener("scroll", redraw);

/* The overview: what is seen is centred where it is pressed. */
function centre(event) {
  const x = event.clientX - overview.getBoundingClientRect().left;
  const share = (x - labelWidth) / size.small;
  const span = view.to - view.from;
  show(share * end - span / 2, share * end + span / 2);
}
overview.addEventListener("pointerdown", (event) => {
  overview.setPointerCapture(event.pointerId);
  centre(event);
});
overview.addEventListener("pointermove", (event) => event.buttons && centre(event));
overview.addEventListener("wheel", (event) => {
  if (!isWhole() || event.deltaY < 0) {
    event.preventDefault();
    zoom(Math.exp(Math.sign(event.deltaY) * 0.2));
  }
}, { passive: false });

byId("zoom-in").addEventListener("click", () => zoom(0.5));
byId("zoom-out").addEventListener("click", () => zoom(2));
byId("zoom-reset").addEventListener("click", () => show(0, end));

function connect(name, key) {
  const box = byId(name);
  box.checked = view[key];
  box.addEventListener("change", () => {
    view[key] = box.checked;
    refresh();
  });
}
connect("critical", "critical");
connect("messages", "messages");
connect("lanes", "allLanes");
connect("memory", "memory");

function refresh() {
  smallStep = null;
  readColors();
  layOut();
  makeLegend();
  redraw();
}

/* On paper: the whole step, all rows, dark on white. */
let before = null;
addEventListener("beforeprint", () => {
  before = { from: view.from, to: view.to, selected: view.selected };
  Object.assign(view, { printing: true, from: 0, to: end, selected: -1, pointer: null });
  readColors();
  layOut();
  makeLegend();
  draw();
});
addEventListener("afterprint", () => {
  Object.assign(view, { printing: false }, before);
  refresh();
});

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", refresh);
new ResizeObserver(refresh).observe(figure);
byId("memory").parentElement.hidden = counters.length === 0;
byId("messages").parentElement.hidden = arrows.length === 0;
byId("critical").parentElement.hidden = !slices.critical.includes(1);
byId("lanes").parentElement.hidden = lanes.every((lane) => lane.stream === 0);
makeTotals();
makeTable();
refresh();
tellStep();
draw();
