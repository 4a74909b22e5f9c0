/** Elements, made of a tag, attributes and children. No markup is ever read from text. */

type Child = Node | string | null | undefined | false;

type Attributes = Record<string, string | number | boolean | null | undefined>;

/**
 * An element. `true` sets an attribute without a value; `false`, `null` and `undefined` leave it out.
 *
 * ```ts
 * h("p", { class: "hint" }, "No key yet. ", h("a", { href: "#trust" }, "Why?"))
 * ```
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child): child is Node | string => child instanceof Node || typeof child === "string"));
  return element;
}

/** A button that does something. */
export function button(text: string, action: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const element = h("button", { type: "button", ...attributes }, text);
  element.addEventListener("click", action);
  return element;
}

/** The element of `index.html` with this id. */
export function byId<T extends HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html has no #${id}`);
  return element as T;
}

let names = 0;

/** An id that no other element has. */
export function freshId(): string {
  return `e${names++}`;
}

/** Tells those who listen instead of looking. */
export function announce(text: string): void {
  byId("status").textContent = text;
}

/** Hands bytes to the person as a file. */
export function download(name: string, parts: BlobPart[], type: string): void {
  const url = URL.createObjectURL(new Blob(parts, { type }));
  const link = h("a", { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
