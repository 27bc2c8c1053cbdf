/** The page in Chromium: what it shows is what Node computes, and can be read, in light, in dark and on a telephone. */
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chain, coverage, dedup, explainer, fill, interval, penalty } from "@promsplice/core";
import { type Browser, launch, type Page } from "puppeteer-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { findRuntime } from "../../scripts/runtimes.mjs";
import { INTERVAL_MS, replicas } from "../browser/replicas.mjs";
import { type Example, startExample } from "./example.ts";
import { checkLegibility, recordPaintedText } from "./legibility.ts";

const SCREENSHOTS = fileURLToPath(new URL("../screenshots/", import.meta.url));

const views = [
  { name: "light", width: 1200, scheme: "light" },
  { name: "dark", width: 1200, scheme: "dark" },
  { name: "narrow", width: 390, scheme: "light" },
  { name: "narrow-dark", width: 390, scheme: "dark" },
] as const;
/** Where the layout changes, and a little to either side. */
const WIDTHS = [390, 480, 560, 561, 768, 959, 960, 1080, 1200];

const strategies = {
  fill: fill({ intervalMs: INTERVAL_MS }),
  penalty: penalty(),
  interval: interval({ intervalMs: INTERVAL_MS }),
  chain: chain(),
};
const NAMES = Object.keys(strategies) as (keyof typeof strategies)[];

const chromium = findRuntime("chromium");

describe.skipIf(chromium === undefined)("the page in Chromium", () => {
  let example: Example;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    mkdirSync(SCREENSHOTS, { recursive: true });
    example = await startExample([process.execPath], "browser/serve.mjs");
    // Who runs as root, as in a container, has no sandbox.
    browser = await launch({ executablePath: chromium!.command, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
    page = await browser.newPage();
    await recordPaintedText(page);
    page.on("console", (message) => {
      if (["error", "warn"].includes(message.type())) {
        complaints.push(message.text());
      }
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("requestfailed", (request) => complaints.push(`failed: ${request.url()}`));
    page.on("response", (response) => {
      if (response.status() >= 400) {
        complaints.push(`${response.status()}: ${response.url()}`);
      }
    });
  });
  beforeEach(async () => {
    await open({ width: 1200, scheme: "light" });
  });
  afterAll(async () => {
    await browser?.close();
    await example?.stop();
  });

  async function open({ width, scheme }: { readonly width: number; readonly scheme: "light" | "dark" }): Promise<void> {
    await page.setViewport({ width, height: 900, deviceScaleFactor: width < 600 ? 2 : 1 });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    await page.goto(`${example.url}/browser/`, { waitUntil: "load" });
    await page.waitForSelector("#spans li");
    await settle();
  }

  /** Until what was to be painted is. */
  async function settle(): Promise<void> {
    await page.evaluate(
      () => new Promise<void>((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve()))),
    );
  }

  async function choose(name: string): Promise<void> {
    await page.click(`input[value=${name}]`);
    await settle();
  }

  const textsOf = (selector: string): Promise<string[]> =>
    page.$$eval(selector, (elements) => elements.map((element) => element.textContent));

  test("shows the numbers that Node computes, for each strategy", async () => {
    for (const name of NAMES) {
      await choose(name);
      const rows = await page.$$eval("#comparison tr", (elements) =>
        elements.map((row) => [...row.querySelectorAll("td")].map((cell) => Number(cell.textContent))),
      );
      expect(rows).toEqual(
        NAMES.map((each) => {
          const { how } = spliceInNode(each);
          return [how.samples, ...how.replicas.map(({ samples }) => samples), how.holeCount, how.nearDuplicates];
        }),
      );
      expect(await textsOf("#comparison tr.chosen th")).toEqual([expect.stringMatching(`^${name}`)]);
      const { how, why } = spliceInNode(name);
      const [seen] = await textsOf("#seen");
      const [a, b] = how.replicas;
      expect(seen).toContain(`${name} shows ${how.samples} samples, ${a!.samples} of A and ${b!.samples} of B.`);
      expect(seen).toContain(`${how.holesMs / 1000}\u{a0}s`);
      const spans = await textsOf("#spans li");
      expect(spans.slice(0, 8)).toEqual(
        why.spans.slice(0, 8).map(({ replica, firstMs, lastMs, samples }) => {
          const times = `${timeOf(firstMs)} – ${timeOf(lastMs)}`;
          return expect.stringMatching(`^${times}${"AB"[replica]}${samples} samples?: .+`);
        }),
      );
      expect(spans[8]).toBe(why.spans.length > 8 ? `… and ${why.spans.length - 8} more` : undefined);
    }
    expect(complaints).toEqual([]);
  });

  test("reads out each sample of the splice, as Node has it, to who steps along the chart by keys", async () => {
    await choose("fill");
    const { columns, why } = spliceInNode("fill");
    const suppliers = why.spans.flatMap(({ replica, samples }) => Array.from({ length: samples }, () => replica));
    const expected = Array.from(
      columns.timestamps,
      (timeMs, row) =>
        `${timeOf(timeMs)} UTC: ${columns.values[row]!.toFixed(1)} °C, from replica ${"AB"[suppliers[row]!]}`,
    );
    // The Tab key alone leads there.
    await page.focus("input:checked");
    await page.keyboard.press("Tab");
    const heard: string[] = [];
    // One step more than there are samples: the hole has one too.
    for (let step = 0; step <= expected.length; step++) {
      await page.keyboard.press("ArrowRight");
      heard.push((await textsOf("#readout"))[0]!);
    }
    expect(heard.filter((text) => !isHint(text))).toEqual(expected);
    expect(heard.filter((text) => isHint(text))).toHaveLength(1);
    await page.keyboard.press("ArrowLeft");
    expect((await textsOf("#readout"))[0]).toBe(expected.at(-2));
  });

  test("chooses the strategy by the arrow keys", async () => {
    await page.focus("input:checked");
    await page.keyboard.press("ArrowRight");
    await settle();
    expect(await textsOf("#comparison tr.chosen th")).toEqual([expect.stringMatching(/^penalty/u)]);
  });

  test.each(views)("can be read: $name, $width px wide", async ({ name, width, scheme }) => {
    await open({ width, scheme });
    const file = `${SCREENSHOTS}${name}.png`;
    for (const strategy of NAMES) {
      await choose(strategy);
      const { texts, onCanvas, problems } = await checkLegibility(page);
      expect(problems, strategy).toEqual([]);
      expect(texts).toBeGreaterThan(70);
      expect(onCanvas).toBeGreaterThan(15);
    }
    await choose("fill");
    await page.screenshot({ path: file, fullPage: true });
    console.log(`screenshot: ${file}`);
    expect(complaints).toEqual([]);
  });

  test("can be read at every width between, also when the window is resized or its scheme changes", async () => {
    for (const width of WIDTHS) {
      await page.setViewport({ width, height: 900 });
      for (const scheme of ["light", "dark"]) {
        await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
        await settle();
        const { problems } = await checkLegibility(page);
        expect(problems, `${width} px, ${scheme}`).toEqual([]);
      }
    }
  });

  test.each([
    ["overlap", "h1 { margin-bottom: -1em }"],
    ["contrast", ":root { --quiet: #99a2ad }"],
    ["11 px", "#readout { font-size: 11px }"],
    ["outside the window", "table { width: 1300px }"],
    ["sideways", "main { width: 1300px; max-width: none }"],
    ["overlap: B | 09:05", ".chart { height: 40px }"],
    ["cut off by its canvas: time of day", ".chart { width: 90px }"],
  ])("would be found wanting: %s", async (problem, style) => {
    await page.addStyleTag({ content: style });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "light" }]);
    await settle();
    const { problems } = await checkLegibility(page);
    expect(problems).toContainEqual(expect.stringContaining(problem));
  });
});

function spliceInNode(name: keyof typeof strategies) {
  const why = explainer();
  const how = coverage({ level: "splice", intervalMs: INTERVAL_MS });
  const columns = dedup(replicas, strategies[name], { explain: why, coverage: how });
  return { columns, why, how };
}

/** What is read out where there is no sample. */
function isHint(text: string): boolean {
  return text.startsWith("Point at the chart");
}

function timeOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(11, 19);
}
