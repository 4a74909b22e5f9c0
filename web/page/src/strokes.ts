/** Drawings as strokes, and the pixels that a model of handwritten signs wants of them. */

/** A point of a unit square, the origin in its upper left corner. */
export type Point = readonly [x: number, y: number];
/** One pen movement. */
export type Stroke = Point[];

interface Raster {
  width: number;
  height: number;
  /** Ink from 0 to 1, row after row. */
  ink: Float64Array;
}

/** Pixels a side that each pixel of the model is made of. */
const FINE = 8;

/**
 * Draws strokes as the model's training images are drawn: the sign fills a box in the middle, whatever its size and place on
 * the canvas, and the pen is as wide as there. 28x28 follows MNIST (a box of 20, the center of mass in the middle, a pen of 2.2),
 * smaller images fill their height, as in the 8x8 digits.
 */
export function rasterize(strokes: Stroke[], width: number, height: number): Raster {
  const large = Math.min(width, height) >= 16;
  const pen = large ? 2.4 * (Math.min(width, height) / 28) : 1.25 * (Math.min(width, height) / 8);
  const box = large ? (Math.min(width, height) * 20) / 28 : Math.min(width, height);
  const ink = new Float64Array(width * height);
  const points = strokes.flat();
  if (points.length === 0) return { width, height, ink };
  const [left, right] = [Math.min(...points.map(([x]) => x)), Math.max(...points.map(([x]) => x))];
  const [top, bottom] = [Math.min(...points.map(([, y]) => y)), Math.max(...points.map(([, y]) => y))];
  // The pen's own width is part of the box. A dot is not blown up.
  const scale = (box - pen) / Math.max(right - left, bottom - top, 0.12);
  const placed = strokes.map((stroke) =>
    stroke.map(([x, y]): Point => [
      width / 2 + (x - (left + right) / 2) * scale,
      height / 2 + (y - (top + bottom) / 2) * scale,
    ]),
  );
  const drawn = draw(placed, width, height, pen);
  if (!large) return drawn;
  const [dx, dy] = offCenter(drawn);
  return draw(placed.map((stroke) => stroke.map(([x, y]): Point => [x - dx, y - dy])), width, height, pen);
}

/** How far the center of mass lies from the middle. */
function offCenter({ width, height, ink }: Raster): [number, number] {
  let [sum, x, y] = [0, 0, 0];
  ink.forEach((value, at) => {
    sum += value;
    x += value * ((at % width) + 0.5);
    y += value * (Math.floor(at / width) + 0.5);
  });
  return sum === 0 ? [0, 0] : [x / sum - width / 2, y / sum - height / 2];
}

/** Inks every fine pixel that lies within half a pen's width of a stroke; a pixel is the mean of its fine ones. */
function draw(strokes: Stroke[], width: number, height: number, pen: number): Raster {
  const [wide, high] = [width * FINE, height * FINE];
  const fine = new Uint8Array(wide * high);
  const radius = pen / 2;
  for (const stroke of strokes) {
    stroke.forEach((end, at) => {
      const begin = stroke[Math.max(at - 1, 0)]!;
      const reach = (from: number, to: number, most: number): [number, number] => [
        Math.max(0, Math.floor((Math.min(from, to) - radius) * FINE)),
        Math.min(most - 1, Math.ceil((Math.max(from, to) + radius) * FINE)),
      ];
      const [x0, x1] = reach(begin[0], end[0], wide);
      const [y0, y1] = reach(begin[1], end[1], high);
      for (let y = y0; y <= y1; y++) {
        for (let x = x0; x <= x1; x++) {
          if (distance([(x + 0.5) / FINE, (y + 0.5) / FINE], begin, end) <= radius) fine[y * wide + x] = 1;
        }
      }
    });
  }
  const ink = new Float64Array(width * height);
  fine.forEach((value, at) => {
    const [x, y] = [Math.floor((at % wide) / FINE), Math.floor(at / wide / FINE)];
    ink[y * width + x]! += value / (FINE * FINE);
  });
  return { width, height, ink };
}

/** Of a point from a line's piece. */
function distance([x, y]: Point, [ax, ay]: Point, [bx, by]: Point): number {
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / length));
  return Math.hypot(x - ax - along * dx, y - ay - along * dy);
}
