/* Unpacks gzip (RFC 1952, RFC 1951) at once, where browsers only offer to do it later. A prefix code is kept as how
 * many words of each length there are, and their symbols in order; words of one length are consecutive numbers. */

const LENGTHS = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
                 163, 195, 227, 258];
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCES = [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049,
                   3073, 4097, 6145, 8193, 12289, 16385, 24577];
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

function makeCode(lengths) {
  const counts = new Array(16).fill(0), symbols = [];
  lengths.forEach((length) => counts[length]++);
  for (let length = 1; length < 16; length++) {
    lengths.forEach((other, symbol) => other === length && symbols.push(symbol));
  }
  return { counts, symbols };
}

function inflate(input) {
  let place = 10, held = 0, heldBits = 0; // behind the header, which names nothing
  let output = new Uint8Array(Math.max(1024, 4 * input.length)), size = 0;

  const bits = (count) => {
    for (; heldBits < count; heldBits += 8) {
      held |= input[place++] << heldBits;
    }
    const value = held & ((1 << count) - 1);
    held >>>= count;
    heldBits -= count;
    return value;
  };
  const symbol = ({ counts, symbols }) => {
    for (let length = 1, word = 0, first = 0, index = 0; length < 16; length++) {
      word |= bits(1);
      if (word - first < counts[length]) {
        return symbols[index + word - first];
      }
      index += counts[length];
      first = (first + counts[length]) << 1;
      word <<= 1;
    }
    throw new Error("the report is damaged");
  };
  const put = (byte) => {
    if (size === output.length) {
      const larger = new Uint8Array(2 * size);
      larger.set(output);
      output = larger;
    }
    output[size++] = byte;
  };
  const readCodes = () => {
    const literals = bits(5) + 257, distances = bits(5) + 1, lengths = new Array(19).fill(0);
    for (let i = 0, count = bits(4) + 4; i < count; i++) {
      lengths[ORDER[i]] = bits(3);
    }
    const code = makeCode(lengths), all = [];
    while (all.length < literals + distances) {
      const next = symbol(code);
      const repeat = next < 16 ? 1 : next === 16 ? 3 + bits(2) : next === 17 ? 3 + bits(3) : 11 + bits(7);
      const value = next < 16 ? next : next === 16 ? all[all.length - 1] : 0;
      all.push(...new Array(repeat).fill(value));
    }
    return [makeCode(all.slice(0, literals)), makeCode(all.slice(literals))];
  };
  const fixedCodes = () => [
    makeCode(Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8))),
    makeCode(new Array(30).fill(5)),
  ];
  const copyStored = () => {
    heldBits = held = 0;
    const end = place + 4 + input[place] + 256 * input[place + 1];
    for (place += 4; place < end;) {
      put(input[place++]);
    }
  };
  const copyCoded = ([literals, distances]) => {
    for (let next = symbol(literals); next !== 256; next = symbol(literals)) {
      if (next < 256) {
        put(next);
        continue;
      }
      const length = LENGTHS[next - 257] + bits(LENGTH_BITS[next - 257]);
      const code = symbol(distances);
      const distance = DISTANCES[code] + bits(code < 2 ? 0 : (code >> 1) - 1);
      for (let i = 0; i < length; i++) {
        put(output[size - distance]);
      }
    }
  };

  for (let last = false; !last;) {
    last = bits(1) === 1;
    const kind = bits(2);
    if (kind === 0) {
      copyStored();
    } else {
      copyCoded(kind === 1 ? fixedCodes() : readCodes());
    }
  }
  return output.subarray(0, size);
}
