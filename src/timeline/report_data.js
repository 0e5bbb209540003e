/* What was packed for this page (timeline/pack.h), unpacked, and how times and quantities are written. */

const packed = JSON.parse(document.getElementById("data").textContent);

/* Whole numbers, one after another: seven bits a byte, lowest first, the eighth says that more follow. */
function numberReader(base64) {
  const bytes = inflate(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)));
  let place = 0;
  return () => {
    let value = 0, weight = 1;
    for (; bytes[place] >= 128; weight *= 128) {
      value += (bytes[place++] - 128) * weight;
    }
    return value + bytes[place++] * weight;
  };
}

/* 0, 1, 2, 3 ... stand for 0, -1, 1, -2 ... */
const signed = (number) => (number % 2 === 1 ? -(number + 1) / 2 : number / 2);

function readShapes(next) {
  return Array.from({ length: next() }, () => {
    const [name, sort, stage, layer, bytes] = [next(), next(), next(), next(), next()];
    return { name, sort, stage: stage - 1, layer: layer - 1, bytes };
  });
}

/* Slices as columns; those of lane l are first[l] .. first[l + 1] - 1. `joined`: of a few, how many they are, and how
 * long nothing happens within. */
function readSlices(next) {
  const columns = { lane: [], start: [], end: [], shape: [], batch: [], critical: [] };
  const first = [0], joined = new Map();
  packed.lanes.forEach((_, lane) => {
    let time = 0, batch = 0;
    for (let left = next(); left > 0; left--) {
      const start = time + next(), shape = next();
      time = start + next();
      const more = next();
      batch += signed(Math.floor(more / 2));
      if (shape % 2 === 1) {
        joined.set(columns.start.length, { count: next(), idle: next() });
      }
      columns.lane.push(lane);
      columns.start.push(start);
      columns.end.push(time);
      columns.shape.push(Math.floor(shape / 2));
      columns.batch.push(batch);
      columns.critical.push(more % 2);
    }
    first.push(columns.start.length);
  });
  return { ...columns, first, joined, count: columns.start.length };
}

function readArrows(next) {
  let from = 0;
  return Array.from({ length: next() }, () => {
    from += signed(next());
    return { from, to: from + signed(next()) };
  });
}

/* A counter's points; from times[i] on its value is values[i]. */
function readCounter(next, [group, name, unit, scale]) {
  const times = [], values = [];
  let time = 0, value = 0;
  for (let left = next(); left > 0; left--) {
    time += next();
    value += signed(next());
    times.push(time);
    values.push(value * scale);
  }
  return { group, name, unit, times, values, peak: Math.max(0, ...values) };
}

const end = packed.end;
const sorts = packed.sorts.map(([name, letter, light, dark]) => ({ name, letter, light, dark }));
const lanes = packed.lanes.map(([group, stream, name, busy, slices]) => ({ group, stream, name, busy, slices }));
const next = numberReader(packed.numbers);
const shapes = readShapes(next);
const slices = readSlices(next);
const arrows = readArrows(next);
const counters = packed.counters.map((counter) => readCounter(next, counter));

/* Arrows of each slice, by its place. */
const arrowsOf = new Map();
for (const arrow of arrows) {
  for (const slice of [arrow.from, arrow.to]) {
    if (!arrowsOf.has(slice)) {
      arrowsOf.set(slice, []);
    }
    arrowsOf.get(slice).push(arrow);
  }
}

const TIME_UNITS = [[1e12, "s"], [1e9, "ms"], [1e6, "us"], [1e3, "ns"], [1, "ps"]];
const timeUnit = (time) => TIME_UNITS.find(([size]) => Math.abs(time) >= size) || [1, "ps"];

/* Four digits, in the unit a person would choose. */
function timeText(time) {
  const [size, name] = timeUnit(time);
  const number = time / size;
  const decimals = size === 1 ? 0 : Math.max(0, 3 - Math.floor(Math.log10(Math.max(1, Math.abs(number)))));
  return `${number.toFixed(decimals)} ${name}`;
}

/* Places in the step need as many digits as the step is long: alike, in one unit. */
function placeText(time, span) {
  const [size, name] = timeUnit(end);
  const decimals = Math.max(0, Math.min(12, Math.ceil(Math.log10(size / Math.max(1, span))) + 3));
  return `${(time / size).toFixed(Math.min(decimals, Math.round(Math.log10(size))))} ${name}`;
}

function scaled(value, base, names) {
  let power = 0;
  while (power + 1 < names.length && Math.abs(value) >= base ** (power + 1) * 0.9995) {
    power++;
  }
  const number = value / base ** power;
  const decimals = power === 0 && Number.isInteger(number) ? 0 : number >= 99.95 ? 0 : number >= 9.995 ? 1 : 2;
  return `${number.toFixed(decimals)} ${names[power]}`;
}

const bytesText = (bytes) => scaled(bytes, 1024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]);
const rateText = (rate) => scaled(rate, 1000, ["B/s", "kB/s", "MB/s", "GB/s", "TB/s", "PB/s"]);
const quantityText = (value, unit) => (unit === "B" ? bytesText(value) : `${Number(value.toPrecision(4))} ${unit}`);

/* Step of 1, 2 or 5 times a power of ten of which at most `most` are in `span`; at least a picosecond. */
function roundStep(span, most) {
  const least = Math.max(1, span / most);
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((digit) => digit * power).find((step) => step >= least * 0.999999);
}
