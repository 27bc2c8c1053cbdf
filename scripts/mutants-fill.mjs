/** Wrong readings of the rule of `fill`; see mutants-list.mjs. */
const LEVELS = "strategy/levels.ts";
const FILLING = "strategy/filling.ts";
const ESTIMATE = "strategy/interval-estimate.ts";

export const FILL_MUTANTS = [
  {
    name: "fill: a gap of exactly 1.5 intervals is a hole",
    file: LEVELS,
    find: "return gapEndMs - fromMs > HOLE_INTERVALS * intervalMs ? PIECE : END;",
    replace: "return gapEndMs - fromMs >= HOLE_INTERVALS * intervalMs ? PIECE : END;",
  },
  {
    name: "fill: a sample goes into a gap that is no hole any more",
    file: LEVELS,
    find: "this.last.timeMs > HOLE_INTERVALS * spacingMs)",
    replace: "this.last.timeMs > 0 * spacingMs)",
  },
  {
    name: "fill: half an interval from the end of the gap is too near",
    file: LEVELS,
    find: "!(gapEndMs - rowMs >= apartMs)",
    replace: "!(gapEndMs - rowMs > apartMs)",
  },
  {
    name: "fill: J is the interval of the replica that is followed",
    file: LEVELS,
    find: "ownMs < intervalMs || Number.isNaN(intervalMs) ? ownMs : intervalMs;",
    replace: "Number.isNaN(intervalMs) ? ownMs : intervalMs;",
  },
  {
    name: "fill: the gap after the last sample is a hole without a later row",
    file: LEVELS,
    find: "return this.#isAnyLater(fromMs + Math.floor(HOLE_INTERVALS * intervalMs));",
    replace: "return PIECE;",
  },
  {
    name: "fill: the quantile is the smallest delta",
    file: ESTIMATE,
    find: "last === 3 ? fourth : last === 2",
    replace: "last > 3 ? fourth : last === 2",
  },
  {
    name: "fill: a marker is shown though another replica goes on",
    file: FILLING,
    find: "if (live >= 0 && other.timeOf(live) - timeMs <= HOLE_INTERVALS * intervalMs) {",
    replace: "if (live >= 0 && other.timeOf(live) - timeMs <= 0 * intervalMs) {",
  },
  {
    name: "fill: with counter a reset of its own does not count",
    file: FILLING,
    find: " ||\n      scrapes.hasReset(from, row)",
    replace: "",
  },
];
