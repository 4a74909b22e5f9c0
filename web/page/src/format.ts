/** Numbers as people read them. */

const PLAIN = new Intl.NumberFormat("en-US");
const SHORT = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 4 });

export function count(number: number, one: string, many = `${one}s`): string {
  return `${PLAIN.format(number)}\u00a0${number === 1 ? one : many}`;
}

/** `13.1 kB`: a kilobyte is 1000 bytes. */
export function bytes(size: number): string {
  if (size < 1000) return count(size, "byte");
  const [unit, name] = size < 1e6 ? [1e3, "kB"] : [1e6, "MB"];
  return `${(size / unit).toFixed(size / unit < 100 ? 1 : 0)}\u00a0${name}`;
}

/** `87 ms`. */
export function seconds(time: number): string {
  const ms = time * 1e3;
  if (ms < 1) return `${ms.toFixed(2)}\u00a0ms`;
  if (ms < 10) return `${ms.toFixed(1)}\u00a0ms`;
  return ms < 1000 ? `${ms.toFixed(0)}\u00a0ms` : `${time.toFixed(2)}\u00a0s`;
}

export function number(value: number): string {
  return SHORT.format(value);
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(share > 0.0005 && share < 0.9995 ? 1 : 0)} %`;
}

/** Lines of so many bytes, each after its offset. */
export function hexDump(data: Uint8Array, most: number, width: number): string {
  const lines: string[] = [];
  for (let at = 0; at < Math.min(most, data.length); at += width) {
    const line = Array.from(data.subarray(at, Math.min(at + width, most)), (byte) => byte.toString(16).padStart(2, "0"));
    lines.push(`${at.toString(16).padStart(4, "0")}  ${line.join(" ")}`);
  }
  return lines.join("\n");
}

/** The first `most` of some names, and how many more there are. */
export function listed(names: string[], most: number): string {
  const rest = names.length > most ? ` and ${names.length - most} more` : "";
  return `${names.slice(0, most).join(", ")}${rest}`;
}

/** A message without the marks of code. */
export function plainly(message: string): string {
  return message.replaceAll("`", "");
}

/** As a sentence: with a capital letter and a full stop. */
export function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return text === "" || /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
