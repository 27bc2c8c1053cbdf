import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startProgress } from "../src/progress.ts";

const ERASE = "\r\u001B[K";

class Screen {
  readonly isTTY: boolean;
  written: string[] = [];

  constructor(isTTY: boolean) {
    this.isTTY = isTTY;
  }

  write(text: string): void {
    this.written.push(text);
  }
}

describe("progress", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it("shows on a terminal, in one line, how far long work has come, and is gone at the end", () => {
    const screen = new Screen(true);
    let series = 0;
    const stop = startProgress(screen, {}, () => `${series++} series`);
    vi.advanceTimersByTime(299);
    expect(screen.written).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(screen.written).toEqual([`${ERASE}0 series`]);
    vi.advanceTimersByTime(250);
    stop();
    expect(screen.written).toEqual([`${ERASE}0 series`, `${ERASE}1 series`, `${ERASE}2 series`, ERASE]);
    vi.advanceTimersByTime(5000);
    expect(screen.written).toHaveLength(4);
  });

  it("shows nothing where the work is done soon", () => {
    const screen = new Screen(true);
    startProgress(screen, {}, () => "much")();
    vi.advanceTimersByTime(5000);
    expect(screen.written).toEqual([]);
  });

  it.each([
    ["without a terminal", false, {}],
    ["on one that cannot erase", true, { TERM: "dumb" }],
  ])("shows nothing %s", (_, isTty, environment) => {
    const screen = new Screen(isTty);
    const stop = startProgress(screen, environment, () => "much");
    vi.advanceTimersByTime(5000);
    stop();
    expect(screen.written).toEqual([]);
  });
});
