/** The ten digits as pen movements, for who cannot or does not want to draw. */
import type { Point, Stroke } from "./strokes.js";

/** Points of an ellipse's piece; angles in turns, clockwise from the right. */
function arc(x: number, y: number, rx: number, ry: number, from: number, to: number): Stroke {
  const steps = Math.max(2, Math.ceil(Math.abs(to - from) * 32));
  return Array.from({ length: steps + 1 }, (_, at): Point => {
    const angle = (from + ((to - from) * at) / steps) * 2 * Math.PI;
    return [x + rx * Math.cos(angle), y + ry * Math.sin(angle)];
  });
}

const DIGITS: Stroke[][] = [
  [arc(0.5, 0.5, 0.2, 0.32, -0.25, 0.75)],
  [[[0.47, 0.24], [0.52, 0.18], [0.5, 0.82]]],
  [[...arc(0.5, 0.36, 0.19, 0.18, -0.47, 0.08), [0.32, 0.8], [0.72, 0.8]]],
  [[...arc(0.48, 0.34, 0.18, 0.16, -0.42, 0.22), ...arc(0.48, 0.66, 0.2, 0.17, -0.22, 0.42)]],
  [[[0.36, 0.2], [0.3, 0.52], [0.7, 0.5]], [[0.66, 0.2], [0.6, 0.84]]],
  [[[0.7, 0.2], [0.38, 0.2], [0.35, 0.47], ...arc(0.48, 0.63, 0.2, 0.19, -0.32, 0.4)]],
  [[[0.6, 0.17], [0.42, 0.36], [0.33, 0.58], ...arc(0.5, 0.66, 0.17, 0.17, 0.5, -0.5)]],
  [[[0.3, 0.22], [0.7, 0.22], [0.44, 0.82]]],
  [[...arc(0.5, 0.34, 0.15, 0.15, 0.25, -0.75), ...arc(0.5, 0.66, 0.18, 0.17, -0.25, 0.75)]],
  [[...arc(0.5, 0.37, 0.17, 0.18, -0.05, -1), [0.66, 0.4], [0.6, 0.84]]],
];

/** Strokes of a class that is a digit; `null` for others. */
export function digitStrokes(name: string): Stroke[] | null {
  return /^[0-9]$/.test(name) ? DIGITS[Number(name)]! : null;
}
