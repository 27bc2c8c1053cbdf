/** What the terminal can show: colours only where someone looks at them, block characters only where they arrive whole. */

export type Style = "heading" | "replicaA" | "replicaB" | "gap" | "faint";

/** The style of replica 0, of replica 1. */
export const REPLICA_STYLES: readonly Style[] = ["replicaA", "replicaB"];

export interface Glyphs {
  /** A stretch of a timeline that is covered, partly covered, or not covered. */
  readonly covered: string;
  readonly partly: string;
  readonly gap: string;
  readonly sample: string;
}

export interface Terminal {
  readonly glyphs: Glyphs;
  /** The text in a style; the text as it is where there are no colours. */
  paint(style: Style, text: string): string;
}

/** Select Graphic Rendition codes (ECMA-48 §8.3.117). */
const CODES: Readonly<Record<Style, string>> = { heading: "1", replicaA: "36", replicaB: "33", gap: "31", faint: "2" };

/**
 * Colours need a TTY and no `NO_COLOR` (https://no-color.org); a non-empty `FORCE_COLOR` other than 0 stands in for the
 * TTY. Block characters need a locale whose character set is UTF-8.
 */
export function describeTerminal(isTty: boolean, environment: Readonly<Record<string, string | undefined>>): Terminal {
  const { NO_COLOR, FORCE_COLOR, TERM, LC_ALL, LC_CTYPE, LANG } = environment;
  const isForced = isSet(FORCE_COLOR) && FORCE_COLOR !== "0";
  const hasColors = !isSet(NO_COLOR) && (isForced || (isTty && TERM !== "dumb"));
  const locale = [LC_ALL, LC_CTYPE, LANG].find(isSet) ?? "";
  const hasBlocks = /utf-?8/i.test(locale);
  return {
    glyphs: hasBlocks
      ? { covered: "━", partly: "╌", gap: "·", sample: "●" }
      : { covered: "=", partly: "-", gap: ".", sample: "o" },
    paint: (style, text) => (hasColors ? `\u001B[${CODES[style]}m${text}\u001B[0m` : text),
  };
}

function isSet(variable: string | undefined): boolean {
  return variable !== undefined && variable !== "";
}
