/* Drawing what is in view. All coordinates are CSS pixels of the canvas; `offset` is how far its rows are scrolled. */

/* Slices thinner than a pixel share it: each sort has its part of the column, the paler the emptier. */
function makeThin(context, top, height) {
  const cover = new Float64Array(sorts.length);
  let pixel = -1, sum = 0, opacity = 1;
  const flush = () => {
    if (sum === 0) {
      return;
    }
    context.globalAlpha = opacity * Math.min(1, 0.2 + 0.8 * sum);
    for (let sort = 0, y = top; sort < cover.length; sort++) {
      if (cover[sort] > 0) {
        const part = (height * cover[sort]) / sum;
        context.fillStyle = colors.fills[sort];
        context.fillRect(pixel, y, 1, part);
        y += part;
      }
    }
    context.globalAlpha = 1;
    cover.fill(0);
    pixel = -1;
    sum = 0;
  };
  const add = (x, width, sort, alpha) => {
    if (Math.floor(x) !== pixel) {
      flush();
      pixel = Math.floor(x);
    }
    const share = Math.max(width, 0.02); // what takes no time is still there
    opacity = alpha;
    sum += share;
    cover[sort] += share;
  };
  return { add, flush };
}

const sliceName = (at) => packed.names[shapes[slices.shape[at]].name];

/* The longest of a slice's names that fits. */
function fittingLabel(context, at, width) {
  const shape = shapes[slices.shape[at]], batch = slices.batch[at];
  if (slices.joined.has(at)) {
    return "";
  }
  const number = batch < 0 ? "" : String(batch);
  const long = batch < 0 ? sliceName(at) : `${sliceName(at)} ${number}`;
  const short = sorts[shape.sort].letter + number;
  return [long, short, number].find((text) => text && context.measureText(text).width + 5 <= width) || "";
}

function drawSlice(context, at, x, width, top) {
  const sort = shapes[slices.shape[at]].sort;
  const faded = view.critical && !slices.critical[at];
  const gap = width > 4 ? 1 : width > 2 ? 0.5 : 0;
  context.globalAlpha = faded ? 0.2 : 1;
  context.fillStyle = colors.fills[sort];
  context.fillRect(x, top, width - gap, bar);
  if (view.critical && slices.critical[at]) {
    context.fillStyle = colors.mark;
    context.fillRect(x, top + bar - 3, width - gap, 3);
  }
  if (width > 9 && bar >= 10) {
    const left = Math.max(x, labelWidth), right = Math.min(x + width, size.width - 8);
    const label = fittingLabel(context, at, right - left - gap);
    context.fillStyle = faded ? colors.text : colors.inks[sort];
    context.textAlign = "center";
    context.fillText(label, (left + right - gap) / 2, top + bar / 2 + 0.5);
  }
  context.globalAlpha = 1;
}

/* Returns how many slices are within the view. */
function drawLane(context, row, offset) {
  const top = row.top - offset;
  const last = slices.first[row.lane + 1];
  const thin = makeThin(context, top, bar);
  let drawn = 0;
  context.fillStyle = colors.row;
  context.fillRect(labelWidth, top, size.plot, bar);
  for (let at = firstAfter(row.lane, view.from); at < last && slices.start[at] < view.to; at++, drawn++) {
    const x = xOf(slices.start[at]), width = xOf(slices.end[at]) - x;
    if (width < 1) {
      thin.add(x, width, shapes[slices.shape[at]].sort, view.critical && !slices.critical[at] ? 0.2 : 1);
    } else {
      thin.flush();
      drawSlice(context, at, x, width, top);
    }
  }
  thin.flush();
  return drawn;
}

/* The last point at or before a time; -1: none. */
function pointAt(counter, time) {
  let low = 0, high = counter.times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (counter.times[middle] <= time) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low - 1;
}

/* A staircase over its ground; all counters of one name are drawn to one scale. */
function drawCurve(context, row, offset) {
  const { counter, height } = row;
  const top = row.top - offset, bottom = top + height;
  const highest = Math.max(...counters.filter((other) => other.name === counter.name).map((other) => other.peak)) || 1;
  const yOf = (value) => bottom - (Math.max(0, value) / highest) * (height - 4);
  context.fillStyle = colors.row;
  context.fillRect(labelWidth, top, size.plot, height);
  context.beginPath();
  context.moveTo(labelWidth, bottom);
  let at = pointAt(counter, view.from);
  let level = yOf(at < 0 ? 0 : counter.values[at]);
  context.lineTo(labelWidth, level);
  for (at += 1; at < counter.times.length && counter.times[at] < view.to; at++) {
    const x = xOf(counter.times[at]);
    context.lineTo(x, level);
    level = yOf(counter.values[at]);
    context.lineTo(x, level);
  }
  context.lineTo(labelWidth + size.plot, level);
  context.strokeStyle = context.fillStyle = colors.curve;
  context.lineWidth = 1.25;
  context.stroke();
  context.lineTo(labelWidth + size.plot, bottom);
  context.globalAlpha = 0.16;
  context.fill();
  context.globalAlpha = 1;
}

function drawArrow(context, from, to) {
  const angle = Math.atan2(to.y - from.y, to.x - from.x);
  context.beginPath();
  context.moveTo(from.x, from.y);
  context.lineTo(to.x, to.y);
  for (const turn of [-0.4, 0.4]) {
    context.moveTo(to.x, to.y);
    context.lineTo(to.x - 7 * Math.cos(angle + turn), to.y - 7 * Math.sin(angle + turn));
  }
  context.stroke();
}

/* Where an arrow meets a slice: at its lane's row, or at its group's first row where that lane is not shown. */
function arrowEnd(at, time, offset) {
  const lane = slices.lane[at];
  const row = rows[rowOfLane[lane]] || rows.find((other) => other.group === lanes[lane].group);
  return { x: xOf(time), y: row.top - offset + bar / 2 };
}

/* Messages within the view, unless they would be a thicket; those of the selected slice always. */
function drawArrows(context, offset) {
  const inView = (arrow) => slices.start[arrow.from] < view.to && slices.end[arrow.to] > view.from;
  const seen = view.messages ? arrows.filter(inView) : [];
  const chosen = arrowsOf.get(view.selected) || [];
  const apart = seen.length * 26 < size.plot * packed.groups.length && seen.length <= MOST_ARROWS;
  for (const arrow of apart ? seen : chosen) {
    const [from, to] = [arrow.from, arrow.to];
    const overlap = slices.start[to] < slices.end[from];
    const strong = from === view.selected || to === view.selected;
    context.strokeStyle = strong ? colors.mark : colors.text;
    context.globalAlpha = strong ? 1 : 0.45;
    context.lineWidth = strong ? 1.75 : 1;
    drawArrow(context, arrowEnd(from, overlap ? slices.start[from] : slices.end[from], offset),
              arrowEnd(to, overlap ? slices.end[to] : slices.start[to], offset));
  }
  context.globalAlpha = 1;
  return apart ? seen.length : 0;
}

function drawScale(context) {
  const span = view.to - view.from;
  const step = roundStep(span, size.plot / 90);
  context.fillStyle = colors.ground;
  context.fillRect(0, 0, size.width, SCALE);
  context.textAlign = "center";
  for (let time = Math.ceil(view.from / step) * step; time <= view.to; time += step) {
    const x = Math.round(xOf(time)) + 0.5;
    context.fillStyle = colors.line;
    context.fillRect(x - 0.5, SCALE - 6, 1, 6);
    context.fillStyle = colors.muted;
    const text = time === 0 ? "0" : placeText(time, step * 1000);
    const half = context.measureText(text).width / 2;
    context.fillText(text, Math.min(Math.max(x, labelWidth + half), size.width - half - 2), SCALE / 2 - 1);
  }
  context.fillStyle = colors.line;
  context.fillRect(0, SCALE - 0.5, size.width, 1);
}

/* As much of a text as fits. */
function cut(context, text, width) {
  let kept = text.length;
  while (kept > 1 && context.measureText(text.slice(0, kept)).width > width - (kept < text.length ? 9 : 0)) {
    kept--;
  }
  return kept < text.length ? `${text.slice(0, kept)}\u2026` : text;
}

function drawLabels(context, row, offset) {
  const y = row.top - offset + (row.counter ? row.height / 2 : bar / 2) + 0.5;
  const width = (text) => context.measureText(text).width;
  const label = cut(context, row.label, labelWidth - 18 - (row.title ? Math.min(width(row.title), labelWidth / 2) : 0));
  const room = labelWidth - 18 - (label ? width(label) + 10 : 0);
  const title = width(row.title) <= room ? row.title : row.title.split(",")[0];
  context.textAlign = "left";
  context.fillStyle = colors.text;
  context.fillText(cut(context, title, room), 10, y);
  context.textAlign = "right";
  context.fillStyle = colors.muted;
  context.fillText(label, labelWidth - 8, y);
}

function drawSelection(context, offset) {
  const row = view.selected >= 0 ? rows[rowOfLane[slices.lane[view.selected]]] : undefined;
  if (row) {
    const x = xOf(slices.start[view.selected]);
    const width = Math.max(2, xOf(slices.end[view.selected]) - x);
    context.strokeStyle = colors.mark;
    context.lineWidth = 2;
    context.strokeRect(x, row.top - offset - 1, width, bar + 2);
  }
}

/* The line under the pointer, and its time on the scale. */
function drawPointer(context) {
  if (!view.pointer || view.pointer.x < labelWidth || view.pointer.x > labelWidth + size.plot) {
    return;
  }
  const text = placeText(timeAt(view.pointer.x), view.to - view.from);
  const half = context.measureText(text).width / 2 + 6;
  const x = Math.min(Math.max(view.pointer.x, labelWidth + half), size.width - half);
  context.fillStyle = colors.muted;
  context.fillRect(Math.round(view.pointer.x), SCALE, 1, size.height - SCALE);
  context.fillRect(x - half, 4, 2 * half, SCALE - 11);
  context.fillStyle = colors.ground;
  context.textAlign = "center";
  context.fillText(text, x, SCALE / 2 - 1);
}

function drawPlot() {
  const context = prepare(plot);
  const offset = view.printing ? 0 : scroll.scrollTop;
  const visible = rows.filter((row) => row.top + row.height > offset + SCALE && row.top < offset + size.height);
  let drawn = 0;
  context.save();
  context.beginPath();
  context.rect(labelWidth, SCALE, size.plot, size.height - SCALE);
  context.clip();
  for (const row of visible) {
    if (row.counter) {
      drawCurve(context, row, offset);
    } else {
      drawn += drawLane(context, row, offset);
    }
  }
  drawSelection(context, offset);
  const messages = drawArrows(context, offset);
  context.restore();
  context.save();
  context.beginPath();
  context.rect(0, SCALE, labelWidth - 4, size.height - SCALE);
  context.clip();
  let free = -Infinity; // on paper rows may be lower than letters
  for (const row of visible) {
    if (row.top >= free || !view.printing) {
      drawLabels(context, row, offset);
      free = row.top + 12;
    }
  }
  context.restore();
  drawScale(context);
  drawPointer(context);
  Object.assign(figure.dataset, {
    from: view.from, to: view.to, left: labelWidth, drawn, messages, selected: view.selected,
  });
}

const overviewScale = (time) => labelWidth + (time / end) * size.small;

/* The whole step in small: a line a group's compute lane. Kept as a picture until sizes or colours change. */
let smallStep = null;
function makeOverview() {
  const context = prepare(overview);
  const height = overview.clientHeight;
  const shown = lanes.map((lane, index) => index).filter((index) => lanes[index].stream === 0);
  context.fillStyle = colors.row;
  context.fillRect(labelWidth, 0, size.small, height);
  shown.forEach((lane, place) => {
    const top = 3 + (place * (height - 6)) / shown.length;
    const thin = makeThin(context, top, Math.max(0.5, (height - 6) / shown.length - (shown.length > 8 ? 0 : 1)));
    for (let at = slices.first[lane]; at < slices.first[lane + 1]; at++) {
      const first = overviewScale(slices.start[at]), last = overviewScale(slices.end[at]);
      for (let x = first; x < last; x = Math.floor(x) + 1) {
        thin.add(x, Math.min(last, Math.floor(x) + 1) - x, shapes[slices.shape[at]].sort, 1);
      }
    }
    thin.flush();
  });
  smallStep = document.createElement("canvas");
  smallStep.width = overview.width;
  smallStep.height = overview.height;
  if (overview.width > 0 && overview.height > 0) {
    smallStep.getContext("2d").drawImage(overview, 0, 0);
  }
}

/* What is seen is framed. */
function drawOverview() {
  if (!smallStep) {
    makeOverview();
  }
  const context = prepare(overview);
  const width = overview.clientWidth, height = overview.clientHeight;
  if (smallStep.width > 0 && smallStep.height > 0) {
    context.drawImage(smallStep, 0, 0, width, height);
  }
  const left = overviewScale(view.from), right = Math.max(left + 2, overviewScale(view.to));
  context.fillStyle = colors.ground;
  context.globalAlpha = 0.66;
  context.fillRect(labelWidth, 0, left - labelWidth, height);
  context.fillRect(right, 0, width - 8 - right, height);
  context.globalAlpha = 1;
  context.strokeStyle = colors.accent;
  context.lineWidth = 1.5;
  context.strokeRect(left + 0.75, 0.75, right - left - 1.5, height - 1.5);
}

let waiting = false;
function draw() {
  measure();
  drawPlot();
  drawOverview();
}
function redraw() {
  if (!waiting) {
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  }
}
