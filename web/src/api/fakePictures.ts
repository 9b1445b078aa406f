/** Pictures for the fake server: 28 x 28 grey clothes, drawn from polygons and a seed, as BMP data addresses. */

export const SIDE = 28;

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

type Point = readonly [number, number];
type Outline = readonly Point[];

const mirrored = (half: Outline): Outline => [...half, ...[...half].reverse().map(([x, y]): Point => [28 - x, y])];
const SLEEVED: Outline = mirrored([[11, 4], [7, 6], [4, 22], [7, 23], [9, 12], [8, 25]]);
const SHOE_BODY: Outline = [[2, 17], [6, 15], [10, 17], [14, 13], [17, 12], [24, 17], [26, 20], [26, 22], [2, 22]];

/** One outline list a label, in the order of `NAMES`; the units are pixels. */
const OUTLINES: readonly (readonly Outline[])[] = [
  [mirrored([[11, 4], [8, 5], [3, 10], [5, 13], [8, 11], [8, 25]])],
  [[[9, 2], [19, 2], [20, 26], [15.5, 26], [14, 9], [12.5, 26], [8, 26]]],
  [SLEEVED],
  [mirrored([[11, 2], [10, 6], [11, 11], [8, 26]])],
  [mirrored([[11, 2], [7, 4], [4, 24], [7, 25], [8, 12], [7, 27]])],
  [[[2, 20], [6, 18], [25, 20], [26, 22], [2, 22]], [[5, 18], [9, 12], [11, 13], [8, 19]], [[14, 19], [18, 14], [21, 16], [22, 20]]],
  [mirrored([[12, 3], [9, 4], [5, 15], [8, 16], [9, 11], [9, 26]])],
  [SHOE_BODY],
  [[[4, 11], [24, 11], [26, 25], [2, 25]], [[9, 11], [10, 5], [18, 5], [19, 11], [17, 11], [16, 7], [12, 7], [11, 11]]],
  [[[9, 4], [18, 4], [17, 14], [25, 19], [26, 23], [5, 23], [8, 15]]],
];

export const NAMES = [
  "T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
] as const;

function inside(outline: Outline, x: number, y: number): boolean {
  let within = false;
  for (let i = 0, j = outline.length - 1; i < outline.length; j = i++) {
    const [xi, yi] = outline[i]!;
    const [xj, yj] = outline[j]!;
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) within = !within;
  }
  return within;
}

/** The grey values, row by row from the top. */
export function pixels(label: number, seed: number): Uint8Array {
  const next = random(seed);
  const [tone, grain, wide, high] = [110 + next() * 130, 10 + next() * 40, 0.85 + next() * 0.3, 0.9 + next() * 0.16];
  const [stripe, phase] = [next() < 0.3 ? 40 + next() * 50 : 0, 2 + Math.floor(next() * 3)];
  const grey = new Uint8Array(SIDE * SIDE);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const [u, v] = [14 + (x + 0.5 - 14) / wide, 14 + (y + 0.5 - 14) / high];
      if (!OUTLINES[label]!.some((outline) => inside(outline, u, v))) continue;
      const fold = stripe && (label === 0 ? y : x) % phase === 0 ? -stripe : 0;
      const shade = tone + fold - Math.abs(u - 14) * 3 + (next() - 0.5) * grain;
      grey[y * SIDE + x] = Math.max(24, Math.min(255, shade));
    }
  }
  return grey;
}

/** An 8-bit BMP: 54 bytes of header, 256 greys, rows from the bottom. */
export function bitmap(grey: Uint8Array): string {
  const bytes = new Uint8Array(54 + 1024 + grey.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  view.setUint32(2, bytes.length, true);
  view.setUint32(10, 54 + 1024, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, SIDE, true);
  view.setInt32(22, SIDE, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 8, true);
  for (let i = 0; i < 256; i++) bytes.set([i, i, i, 0], 54 + i * 4);
  for (let y = 0; y < SIDE; y++) bytes.set(grey.subarray(y * SIDE, (y + 1) * SIDE), 54 + 1024 + (SIDE - 1 - y) * SIDE);
  return `data:image/bmp;base64,${btoa(String.fromCharCode(...bytes))}`;
}
