/**
 * PromQL's selectors as matchers, by Prometheus' own grammar:
 *
 *     up{job="node", zone!~"eu.*"}   ──▶   __name__="up", job="node", zone!~"eu.*"
 *     {"http.requests", "le bel"="x"}  ──▶   __name__="http.requests", le bel="x"
 *
 * Only selectors: remote read knows no functions, ranges or offsets. The rules that are not in the grammar are those of
 * promql/parser/parse.go in Prometheus 3.
 */
import { parser } from "@prometheus-io/lezer-promql";
import type { Matcher, MatcherType } from "@promsplice/remote-read";
import { Problem } from "./problem.ts";
import { isClosed, unquote } from "./promql-text.ts";

type SyntaxNode = ReturnType<typeof parser.parse>["topNode"];

/** What expressions other than selectors are called; the part after which the mark stands, where it is not the start. */
const OTHER_EXPRESSIONS: Readonly<Record<string, string>> = {
  AggregateExpr: "an aggregation",
  BinaryExpr: "an operator",
  FunctionCall: "a function",
  MatrixSelector: "a range (see --range)",
  NumberDurationLiteral: "a number",
  OffsetExpr: "an offset (see --end)",
  ParenExpr: "parentheses",
  StepInvariantExpr: "a time after @ (see --end)",
  StringLiteral: "a text",
  SubqueryExpr: "a subquery",
  UnaryExpr: "a sign",
};

/** How much of a selector is shown on either side of the mark, in characters. */
const SHOWN_BEFORE = 50;
const SHOWN_AFTER = 25;

/**
 * Parses a selector.
 *
 * @throws Problem that shows the place.
 */
export function parseSelector(text: string): Matcher[] {
  if (text.trim() === "") {
    throw new Problem('the selector is empty: write one such as up or up{job="node"}');
  }
  const top = parser.parse(text).topNode;
  checkSyntax(top, text);
  const selector = top.getChild("Expr")!;
  if (selector.name !== "VectorSelector") {
    const found = OTHER_EXPRESSIONS[selector.name] ?? "something else";
    const at = selector.getChild("Expr");
    const mark = at !== null && at.from === selector.from ? at.to + countBlanks(text, at.to) : selector.from;
    throw complain(text, mark, `only a selector such as up{job="node"} is understood here, and this is ${found}`);
  }
  const matchers = readMatchers(selector, text);
  if (matchers.every((matcher) => matchesEmpty(matcher))) {
    throw complain(
      text,
      selector.from,
      "the selector would match every series: give a metric, or a label that is not empty",
    );
  }
  return matchers;
}

/** Finds the first place that is not PromQL. The grammar takes a text without its closing quote; PromQL does not. */
function checkSyntax(top: SyntaxNode, text: string): void {
  top.cursor().iterate(({ type, name, from, to }) => {
    if (name === "StringLiteral" && !isClosed(text.slice(from, to))) {
      throw complain(text, from, "the selector has a text without a closing quote");
    }
    if (type.isError) {
      const isOver = text.slice(from).trim() === "";
      throw complain(text, from, isOver ? "the selector ends too early" : "the selector is no PromQL from the mark on");
    }
  });
}

function readMatchers(selector: SyntaxNode, text: string): Matcher[] {
  const matchers: Matcher[] = [];
  let metric: string | undefined;
  const takeMetric = (name: string, from: number): void => {
    if (metric !== undefined) {
      throw complain(text, from, `the selector names a second metric, after ${metric}`);
    }
    metric = name;
    matchers.push({ type: "=", name: "__name__", value: name });
  };
  const identifier = selector.getChild("Identifier");
  if (identifier !== null) {
    takeMetric(text.slice(identifier.from, identifier.to), identifier.from);
  }
  for (let node = selector.getChild("LabelMatchers")?.firstChild ?? null; node !== null; node = node.nextSibling) {
    if (node.name === "QuotedLabelName") {
      takeMetric(readText(node, text), node.from);
    } else if (node.name === "UnquotedLabelMatcher" || node.name === "QuotedLabelMatcher") {
      matchers.push(readMatcher(node, text));
    }
  }
  const named = metric === undefined ? [] : matchers.slice(1).filter(({ name }) => name === "__name__");
  if (named.length > 0) {
    throw complain(text, selector.from, `the selector names the metric twice, as ${metric} and by __name__`);
  }
  return matchers;
}

function readMatcher(node: SyntaxNode, text: string): Matcher {
  const [name, operator, value] = [node.firstChild!, node.getChild("MatchOp")!, node.lastChild!];
  return {
    type: text.slice(operator.from, operator.to) as MatcherType,
    name: name.name === "QuotedLabelName" ? readText(name, text) : text.slice(name.from, name.to),
    value: readText(value, text),
  };
}

function readText(node: SyntaxNode, text: string): string {
  const unquoted = unquote(text.slice(node.from, node.to));
  if (unquoted === undefined) {
    throw complain(text, node.from, "the selector has a text with an escape that PromQL does not know");
  }
  return unquoted;
}

/** Whether a series without the label is selected. Patterns that JavaScript does not know count as if it were not. */
function matchesEmpty({ type, value }: Matcher): boolean {
  if (type === "=" || type === "!=") {
    return (value === "") === (type === "=");
  }
  try {
    return new RegExp(`^(?:${value})$`, "su").test("") === (type === "=~");
  } catch {
    return false;
  }
}

function countBlanks(text: string, from: number): number {
  return /^\s*/u.exec(text.slice(from))![0].length;
}

/** The problem, and below it the selector with a mark under the place. */
function complain(text: string, from: number, problem: string): Problem {
  const line = text.replaceAll(/\s/gu, " ");
  const before = Array.from(line.slice(0, from));
  const shown = before.slice(-SHOWN_BEFORE).join("");
  const after = Array.from(line.slice(from)).slice(0, SHOWN_AFTER).join("");
  return new Problem(`${problem}\n  ${shown}${after}\n  ${"".padEnd(Math.min(before.length, SHOWN_BEFORE))}^`);
}
