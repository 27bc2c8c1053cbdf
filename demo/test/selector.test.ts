import { describe, expect, it } from "vitest";
import { Problem } from "../src/problem.ts";
import { parseSelector } from "../src/selector.ts";

/** The matchers as one text a matcher: name, type, value. */
function read(text: string): string[] {
  return parseSelector(text).map(({ name, type, value }) => `${name}${type}${value}`);
}

function complaint(text: string): string[] {
  try {
    parseSelector(text);
  } catch (error) {
    expect(error).toBeInstanceOf(Problem);
    return (error as Problem).message.split("\n");
  }
  throw new Error(`${text} is taken for a selector`);
}

describe("a selector", () => {
  it.each<[string, string[]]>([
    ["up", ["__name__=up"]],
    ["  up  # all of them", ["__name__=up"]],
    ["up{}", ["__name__=up"]],
    ["job:up:sum5m", ["__name__=job:up:sum5m"]],
    ['up{job="x"}', ["__name__=up", "job=x"]],
    ['{job="x",}', ["job=x"]],
    ['{__name__=~"up|down"}', ["__name__=~up|down"]],
    ['up{a="1", b!="2", c=~"3.+", d!~"4"}', ["__name__=up", "a=1", "b!=2", "c=~3.+", "d!~4"]],
    ["up{a='1', b=`\\d`}", ["__name__=up", "a=1", "b=\\d"]],
    ['{"http.requests", "le bel"="x"}', ["__name__=http.requests", "le bel=x"]],
    ["{'caf\\u00e9'}", ["__name__=café"]],
    ['up{by="1", on="2", offset="3", bool="4"}', ["__name__=up", "by=1", "on=2", "offset=3", "bool=4"]],
    ["sum{a='1'}", ["__name__=sum", "a=1"]],
    ['up{a="", b="1"}', ["__name__=up", "a=", "b=1"]],
    ["up\n{\n  job = 'x'\n}", ["__name__=up", "job=x"]],
    ['{a=~"(?i)x"}', ["a=~(?i)x"]],
  ])("%s is read", (text, matchers) => {
    expect(read(text)).toEqual(matchers);
  });

  it.each<[string, string]>([
    [String.raw`"a\tb\n\\\""`, 'a\tb\n\\"'],
    [String.raw`'it\'s "so"'`, 'it\'s "so"'],
    [String.raw`"\a\b\f\r\v"`, "\u0007\b\f\r\v"],
    [String.raw`"\x41\101\u0042\U0001F600"`, "AAB😀"],
    [String.raw`"caf\xc3\xa9"`, "café"],
    ["`a\\n\"'`", "a\\n\"'"],
    ['"ü😀"', "ü😀"],
    ['"{},#"', "{},#"],
  ])("has the text %s unquoted", (quoted, text) => {
    expect(parseSelector(`up{a=${quoted}}`)[1]).toEqual({ type: "=", name: "a", value: text });
  });

  it.each<[string, string, number]>([
    ['up{job="x"', "ends too early", 10],
    ["up{", "ends too early", 3],
    ['up{job="x}', "closing quote", 7],
    ["up{job='x\"}", "closing quote", 7],
    ["up{job=x}", "no PromQL", 7],
    ['up{job="x",,}', "no PromQL", 11],
    ["up{,}", "no PromQL", 3],
    ['up{a.b="x"}', "no PromQL", 4],
    ["up}", "no PromQL", 2],
    ["a b", "no PromQL", 2],
    ['job="x"', "no PromQL", 3],
    ['ü{job="x"}', "no PromQL", 0],
    ["rate(up[5m])", "a function", 0],
    ["sum by (job) (up)", "an aggregation", 0],
    ["up[5m]", "a range", 2],
    ["up  [5m]", "a range", 4],
    ["up[5m:1m]", "a subquery", 2],
    ["up offset 5m", "an offset", 3],
    ["up @ 1234", "a time after @", 3],
    ["up + 1", "an operator", 3],
    ["up > 1", "an operator", 3],
    ["(up)", "parentheses", 0],
    ["-up", "a sign", 0],
    ["5", "a number", 0],
    ['"up"', "a text", 0],
    ["{}", "every series", 0],
    ['{job=""}', "every series", 0],
    ['{job=~".*"}', "every series", 0],
    ['{job!="x"}', "every series", 0],
    ['{job!~".+"}', "every series", 0],
    ['up{"down"}', "second metric", 3],
    ['{"a","b"}', "second metric", 5],
    ['up{__name__="down"}', "twice", 0],
    [String.raw`up{a="\q"}`, "escape", 5],
    [String.raw`up{a="\'"}`, "escape", 5],
    [String.raw`up{a="\xff"}`, "escape", 5],
    [String.raw`up{a="\ud800"}`, "escape", 5],
    [String.raw`up{a="\x4"}`, "escape", 5],
  ])("%s is refused, and the place marked", (text, problem, column) => {
    const [message, shown, mark] = complaint(text);
    expect(message).toContain(problem);
    expect(shown).toBe(`  ${text}`);
    expect(mark).toBe(`  ${" ".repeat(column)}^`);
  });

  it("that is empty is refused", () => {
    expect(complaint(" ")).toEqual(['the selector is empty: write one such as up or up{job="node"}']);
  });

  it("that is long is shown in part, with the mark under the place, in 80 columns", () => {
    const [, shown, mark] = complaint(`up{${'label="value",'.repeat(20)}?${'label="value",'.repeat(20)}}`);
    expect(shown!.length).toBeLessThanOrEqual(80);
    expect(shown![mark!.indexOf("^")]).toBe("?");
  });
});
