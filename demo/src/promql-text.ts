/**
 * Text in quotes as PromQL writes it: in double or single quotes with Go's escapes, or between back quotes as it stands.
 *
 *     "a\tb"   'it\'s'   `\d+`   "caf\u00e9"   "caf\xc3\xa9"
 *
 * `\x` and octal escapes stand for bytes of UTF-8. Source: util/strutil/quote.go of Prometheus 3.
 */
const WHOLE = /^(?:"(?:[^"\\\n]|\\[^\n])*"|'(?:[^'\\\n]|\\[^\n])*'|`[^`]*`)$/u;
const PIECES = /\\(?:([abfnrtv\\'"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))|[^\\]+/gy;

const LETTERS: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
};

/** Whether the text has its closing quote. */
export function isClosed(quoted: string): boolean {
  return WHOLE.test(quoted);
}

/**
 * What stands between the quotes.
 *
 * @param quoted With its quotes, closed.
 * @returns undefined where an escape is none, or the bytes are no UTF-8.
 */
export function unquote(quoted: string): string | undefined {
  const quote = quoted[0]!;
  const inside = quoted.slice(1, -1);
  if (quote === "`") {
    return inside;
  }
  const bytes: number[] = [];
  let length = 0;
  for (const [whole, letter, hex, unit, codePoint, octal] of inside.matchAll(PIECES)) {
    const decoded = decodePiece(whole, { letter, hex, unit, codePoint, octal }, quote);
    if (decoded === undefined) {
      return undefined;
    }
    bytes.push(...decoded);
    length += whole.length;
  }
  if (length < inside.length) {
    return undefined;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
  } catch {
    return undefined;
  }
}

interface Escape {
  readonly letter: string | undefined;
  readonly hex: string | undefined;
  readonly unit: string | undefined;
  readonly codePoint: string | undefined;
  readonly octal: string | undefined;
}

/** A piece of the text as bytes of UTF-8. */
function decodePiece(whole: string, escape: Escape, quote: string): Iterable<number> | undefined {
  const { letter, hex, unit, codePoint, octal } = escape;
  if (letter !== undefined) {
    const character = letter === quote ? quote : LETTERS[letter];
    return character === undefined ? undefined : encode(character);
  }
  if (hex !== undefined) {
    return [Number.parseInt(hex, 16)];
  }
  if (octal !== undefined) {
    return [Number.parseInt(octal, 8)];
  }
  const number = unit ?? codePoint;
  if (number !== undefined) {
    const point = Number.parseInt(number, 16);
    const isSurrogate = point >= 0xd800 && point <= 0xdfff;
    return point > 0x10ffff || isSurrogate ? undefined : encode(String.fromCodePoint(point));
  }
  return encode(whole);
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
