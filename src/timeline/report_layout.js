/* Where things are: rows of lanes and curves on one canvas that is as large as what is seen of it, the scale above,
 * names at the left. `view` is all that a reader can change. */

const byId = (id) => document.getElementById(id);
const plot = byId("plot"), overview = byId("overview"), scroll = byId("scroll"), spacer = byId("spacer");
const figure = byId("timeline");

const view = {
  from: 0, to: end,               // picoseconds seen
  critical: false, messages: true, allLanes: packed.groups.length <= 8, memory: packed.groups.length <= 16,
  selected: -1, pointer: null,    // a slice; where the pointer is
  printing: false,
};

const SCALE = 30, CURVE = 40, FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const SHORTEST_VIEW = Math.min(end, Math.max(1000, end * 1e-13)); // below, times are no longer told apart
const MOST_ARROWS = 1500;
let rows = [], bar = 18, labelWidth = 120, rowOfLane = [];
let colors = {};

/* Rows from top to bottom: lanes that are shown, and curves, group by group. */
function layOut() {
  const crowded = packed.groups.length > 24;
  const shown = lanes.map((lane) => lane.stream === 0 || (view.allLanes && lane.slices > 0));
  const gap = view.allLanes || view.memory ? 8 : 0;
  const curves = view.memory ? counters.length : 0;
  const paper = plot.clientWidth * 0.44 - SCALE - packed.groups.length * gap; // so that it fits a page of either way
  const printed = Math.floor(paper / (shown.filter(Boolean).length + 2 * curves)) - 1;
  bar = view.printing ? Math.max(3, Math.min(18, printed)) : crowded ? 15 : 18;
  rows = [];
  rowOfLane = lanes.map(() => -1);
  let y = SCALE + 4;
  packed.groups.forEach((name, group) => {
    let title = name;
    const add = (row) => {
      rows.push({ ...row, group, top: y, title, label: row.label });
      y += row.height + (view.printing ? 1 : 3);
      title = "";
    };
    lanes.forEach((lane, index) => {
      if (lane.group === group && shown[index]) {
        rowOfLane[index] = rows.length;
        add({ lane: index, height: bar, label: view.allLanes ? lane.name : "" });
      }
    });
    counters.filter((counter) => view.memory && counter.group === group).forEach((counter) => {
      add({ counter, height: view.printing ? 2 * bar : CURVE, label: counter.name });
    });
    y += gap;
  });
  spacer.style.height = `${y + 4}px`;
  const seen = Math.min(y + 4, Math.max(260, Math.round(innerHeight * 0.72)));
  scroll.style.height = view.printing ? "auto" : `${seen + 2}px`;
  plot.style.height = `${view.printing ? y + 4 : seen}px`;
  measureLabels();
  measure();
}

function measureLabels() {
  const context = plot.getContext("2d");
  context.font = FONT;
  const width = (text) => context.measureText(text).width;
  const titles = Math.max(30, ...rows.map((row) => width(row.title)));
  const names = Math.max(0, ...rows.map((row) => (row.label ? width(row.label) + 14 : 0)));
  const most = plot.clientWidth * 0.32;
  labelWidth = Math.round(Math.min(most, titles + names + 24));
}

function readColors() {
  const style = getComputedStyle(document.documentElement);
  const dark = !view.printing && matchMedia("(prefers-color-scheme: dark)").matches;
  const get = (name) => style.getPropertyValue(name).trim();
  colors = { ground: get("--ground"), row: get("--row"), text: get("--text"), muted: get("--muted"),
             line: get("--line"), accent: get("--accent"), curve: get("--curve"), mark: get("--mark") };
  if (view.printing) {
    Object.assign(colors, { ground: "#fff", row: "#f1f3f6", text: "#000", muted: "#444c55", line: "#c8ced6",
                            curve: "#2b6cb8", mark: "#c2255c" });
  }
  colors.fills = sorts.map((sort) => (dark ? sort.dark : sort.light));
  colors.inks = colors.fills.map((fill) => (isLight(fill) ? "#111" : "#fff"));
}

/* Relative luminance as in WCAG 2.1, with gamma 2. */
function isLight(fill) {
  const part = (at) => (parseInt(fill.slice(at, at + 2), 16) / 255) ** 2;
  return 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5) > 0.18;
}

/* Sizes in pixels, asked once a drawing: of the canvas, of its part that has time along it, of the overview's. */
const size = { width: 0, height: 0, plot: 0, small: 0 };
function measure() {
  size.width = plot.clientWidth;
  size.height = plot.clientHeight;
  size.plot = Math.max(40, size.width - labelWidth - 8);
  size.small = Math.max(40, overview.clientWidth - labelWidth - 8);
}

const xOf = (time) => labelWidth + ((time - view.from) / (view.to - view.from)) * size.plot;
const timeAt = (x) => view.from + ((x - labelWidth) / size.plot) * (view.to - view.from);

/* The first slice of a lane that ends after a time. */
function firstAfter(lane, time) {
  let low = slices.first[lane], high = slices.first[lane + 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (slices.end[middle] > time) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

function prepare(canvas) {
  const ratio = view.printing ? 3 : devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * ratio), height = Math.round(canvas.clientHeight * ratio);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
  context.font = FONT;
  context.textBaseline = "middle";
  return context;
}
