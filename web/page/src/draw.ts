/** A canvas to draw on, by pointer or by keyboard, and beside it what the model sees of the drawing. */
import type { ModelInfo, Row } from "./client.js";
import { announce, button, h } from "./dom.js";
import { digitStrokes } from "./examples.js";
import { type Point, rasterize, type Stroke } from "./strokes.js";

/** Pixels a side of the canvas. */
const SIDE = 560;
/** How far an arrow key moves the pen, of the canvas's side. */
const STEP = 0.03;

export class DrawingPad {
  readonly element: HTMLElement;
  /** The lowest and the highest value of a pixel, and how many values the model tells apart. */
  #range: { low: number; high: number; levels: number };
  #painting = false;
  #image: { height: number; width: number };
  #strokes: Stroke[] = [];
  #pen: Point = [0.5, 0.5];
  #keyboardDown = false;
  #keyboardUsed = false;
  #changed: () => void;
  #pad = h("canvas", { width: SIDE, height: SIDE, class: "pad", tabindex: 0, role: "img" });
  #preview: HTMLCanvasElement;
  #empty = h("p", { class: "note bad", role: "alert", hidden: true }, "Draw something first.");

  /** `predict` is called with the row of the drawing, `changed` when the drawing is another. */
  constructor(
    info: ModelInfo,
    image: { height: number; width: number },
    { predict, changed }: { predict: (row: Row) => void; changed: () => void },
  ) {
    this.#changed = changed;
    const known = (values: (number | null)[]) => values.filter((value) => value !== null);
    this.#range = {
      low: Math.min(...known(info.features.map((feature) => feature.low))),
      high: Math.max(...known(info.features.map((feature) => feature.high))),
      levels: Math.max(...info.features.map((feature) => feature.levels ?? 2), 2),
    };
    this.#image = image;
    const { height, width } = image;
    this.#preview = h("canvas", { width, height, class: "preview", role: "img", "aria-label": "What the model sees: nothing yet" });
    this.#pad.setAttribute("aria-label", "Drawing area. Arrow keys move the pen, space puts it down and lifts it, Escape clears");
    this.#listen();
    const examples = (info.classes ?? []).filter((name) => digitStrokes(name) !== null);
    const send = button("Encrypt and predict", () => this.#send(predict), { class: "primary" });
    this.element = h(
      "div",
      { class: "draw" },
      h("figure", { class: "draw-pad" }, this.#pad, h("figcaption", {}, "Draw here")),
      // Next to the pad: who draws on a phone sees the button.
      h(
        "div",
        { class: "draw-actions" },
        this.#empty,
        h(
          "div",
          { class: "row wrap" },
          send,
          button("Undo", () => this.load(this.#strokes.slice(0, -1)), { class: "quiet" }),
          button("Clear", () => this.load([]), { class: "quiet" }),
        ),
      ),
      h("figure", { class: "draw-preview" }, this.#preview, h("figcaption", {}, `What the model sees: ${width} × ${height}`)),
      examples.length > 0 && this.#exampleButtons(examples),
    );
    // Colors follow the system's theme.
    const theme = matchMedia("(prefers-color-scheme: dark)");
    const recolor = () => (this.element.isConnected ? this.#paint() : theme.removeEventListener("change", recolor));
    theme.addEventListener("change", recolor);
    this.#paint();
  }

  /** Takes the place of what was drawn. */
  load(strokes: Stroke[]): void {
    this.#strokes = strokes.map((stroke) => [...stroke]);
    this.#drawn();
  }

  #drawn(): void {
    if (this.#strokes.length > 0) this.#empty.hidden = true;
    this.#changed();
    this.#paint();
  }

  /** The row of the drawing: each pixel from its feature's lowest value, without ink, to its highest. */
  row(): Float64Array {
    const { ink } = rasterize(this.#strokes, this.#image.width, this.#image.height);
    const { low, high } = this.#range;
    return ink.map((share) => low + share * (high - low));
  }

  #exampleButtons(names: string[]): HTMLElement {
    const buttons = names.map((name) =>
      button(name, () => this.load(digitStrokes(name) ?? []), { class: "quiet digit", "aria-label": `Draw an example: ${name}` }),
    );
    return h("div", { class: "row wrap digits" }, h("span", { class: "hint" }, "Examples"), ...buttons);
  }

  #send(predict: (row: Row) => void): void {
    this.#empty.hidden = this.#strokes.length > 0;
    if (this.#strokes.length > 0) predict(this.row());
  }

  #listen(): void {
    const at = (event: PointerEvent): Point => {
      const area = this.#pad.getBoundingClientRect();
      return [(event.clientX - area.left) / area.width, (event.clientY - area.top) / area.height];
    };
    this.#pad.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      this.#pad.focus({ preventScroll: true });
      this.#pad.setPointerCapture(event.pointerId);
      this.#keyboardUsed = false;
      this.#strokes.push([at(event)]);
      this.#drawn();
    });
    this.#pad.addEventListener("pointermove", (event) => {
      if (!this.#pad.hasPointerCapture(event.pointerId)) return;
      // A fast pen's points come several at a time.
      const events = event.getCoalescedEvents?.() ?? [];
      this.#strokes.at(-1)?.push(...(events.length > 0 ? events : [event]).map(at));
      this.#drawn();
    });
    this.#pad.addEventListener("keydown", (event) => this.#key(event));
    this.#pad.addEventListener("blur", () => {
      this.#keyboardDown = this.#keyboardUsed = false;
      this.#paint();
    });
  }

  #key(event: KeyboardEvent): void {
    const moves: Record<string, Point> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const move = moves[event.key];
    if (move) {
      const clamp = (value: number) => Math.min(1, Math.max(0, value));
      this.#pen = [clamp(this.#pen[0] + move[0] * STEP), clamp(this.#pen[1] + move[1] * STEP)];
      if (this.#keyboardDown) {
        this.#strokes.at(-1)?.push(this.#pen);
        this.#drawn();
      }
    } else if (event.key === " ") {
      this.#keyboardDown = !this.#keyboardDown;
      if (this.#keyboardDown) {
        this.#strokes.push([this.#pen]);
        this.#drawn();
      }
      announce(this.#keyboardDown ? "Pen down" : "Pen up");
    } else if (event.key === "Escape") {
      this.load([]);
      announce("Cleared");
    } else return;
    event.preventDefault();
    this.#keyboardUsed = true;
    this.#paint();
  }

  /** Paints before the browser shows its next picture: pens have more points than that. */
  #paint(): void {
    if (this.#painting) return;
    this.#painting = true;
    requestAnimationFrame(() => {
      this.#painting = false;
      this.#paintNow();
    });
  }

  #paintNow(): void {
    const styles = getComputedStyle(this.#pad);
    const [ink, paper, pen] = ["--ink", "--field", "--tab"].map((name) => styles.getPropertyValue(name).trim() || "black");
    const context = this.#pad.getContext("2d")!;
    context.fillStyle = paper!;
    context.fillRect(0, 0, SIDE, SIDE);
    Object.assign(context, { strokeStyle: ink, lineWidth: SIDE / 16, lineCap: "round", lineJoin: "round" });
    for (const stroke of this.#strokes) {
      context.beginPath();
      // A stroke of one point is a dot.
      for (const [x, y] of stroke.length === 1 ? [stroke[0]!, stroke[0]!] : stroke) context.lineTo(x * SIDE, y * SIDE);
      context.stroke();
    }
    if (this.#keyboardUsed) {
      context.fillStyle = pen!;
      context.beginPath();
      context.arc(this.#pen[0] * SIDE, this.#pen[1] * SIDE, SIDE / 40, 0, 2 * Math.PI);
      context.fill();
    }
    this.#paintPreview();
  }

  #paintPreview(): void {
    const { height, width } = this.#image;
    const { ink } = rasterize(this.#strokes, width, height);
    const { levels } = this.#range;
    const context = this.#preview.getContext("2d")!;
    const image = context.createImageData(width, height);
    ink.forEach((share, at) => {
      const seen = Math.round(share * (levels - 1)) / (levels - 1);
      image.data.set([255 * seen, 255 * seen, 255 * seen, 255], at * 4);
    });
    context.putImageData(image, 0, 0);
    const inked = ink.filter((share) => share > 0).length;
    const said = inked === 0 ? "nothing yet" : `${inked} of ${width * height} pixels have ink`;
    this.#preview.setAttribute("aria-label", `What the model sees: ${said}`);
  }
}
