/** One wrong reading of the rules each: `find` stands exactly once in `file` (below packages/core/src). */
const PENALTY = "strategy/penalty.ts";
const PACE = "strategy/pace.ts";

export const MUTANTS = [
  {
    name: "non-destructive move: a shorter penalty lets the idle side back",
    file: PACE,
    find: "return Math.max(this.reachedMs, this.lastMs + this.penaltyMs) + 1;",
    replace: "return this.lastMs + this.penaltyMs + 1;",
  },
  {
    name: "the target of the sample before a falling pace is forgotten",
    file: PACE,
    find: "      reachedMs = Math.max(reachedMs, lastMs + penaltyMs);\n    }",
    replace: "    }",
  },
  {
    name: "tie to b",
    file: PENALTY,
    find: "idleMs === currentMs && this.#idle === this.#a",
    replace: "idleMs === currentMs && this.#idle !== this.#a",
  },
  {
    name: "no adjust when the first step is on b",
    file: PENALTY,
    find: 'return row < end && block!.kind === "float" ? addTo(block!.valueAt(row), this.#adjusts[replica]!) : undefined;',
    replace: "return row < end && replica < 0 ? addTo(block!.valueAt(row), this.#adjusts[replica]!) : undefined;",
  },
  {
    name: "penalty of the picked side kept",
    file: PENALTY,
    find: "const step = this.#current.ensure();",
    replace:
      "this.#current.targetMs = this.#pace.lastMs + 1 + this.#pace.penaltyMs;\n    const step = this.#current.seek();",
  },
  {
    name: "> for ≥ where a side is sent to a time",
    file: PACE,
    find: "Math.max(this.reachedMs, this.lastMs + this.penaltyMs) + 1;",
    replace: "Math.max(this.reachedMs, this.lastMs + this.penaltyMs) + 2;",
  },
  {
    name: "> for ≥ in the search within a block",
    file: "source.ts",
    find: "if (timestamps[middle]! < targetMs) {",
    replace: "if (timestamps[middle]! <= targetMs) {",
  },
  {
    name: "adjust only the current side",
    file: PENALTY,
    find: "      this.#adjust(this.#idle, this.#idle.row, shown);\n    }\n    return PIECE;",
    replace: "    }\n    return PIECE;",
  },
  {
    name: "adjust descends only to the current side of an inner pair",
    file: PENALTY,
    find: "      pair.#adjust(pair.#idle, pair.#idle.row, shown);\n",
    replace: "",
  },
  {
    name: "adjust through a histogram",
    file: PENALTY,
    find: 'if (row >= side.end || side.block!.kind !== "float") {',
    replace:
      'if (row >= side.end || (side.block!.kind !== "float" && (side !== this.#a || this.#inner === undefined))) {',
  },
  {
    name: "value kept from the emission",
    file: PENALTY,
    find: "    this.#stepAdd = undefined;\n    return PIECE;",
    replace: "    this.#stepAdd = piece.add;\n    return PIECE;",
  },
  {
    name: "value read with an adjust of the step itself",
    file: PENALTY,
    find: "addTo(value, this.#stepAdd ?? 0)",
    replace: "addTo(value, this.#adjusts[this.piece.replica]!)",
  },
  {
    name: "idle sides of an inner pair are not sent to where they stood",
    file: PENALTY,
    find: "idle.targetMs = pair.#paceBefore(row).targetMs();",
    replace: "idle.targetMs = row < 0 ? pair.#paceBefore(row).targetMs() : -Infinity;",
  },
  {
    name: "idle sides of an inner pair are sent to the end of its piece",
    file: PENALTY,
    find: "idle.targetMs = pair.#paceBefore(row).targetMs();",
    replace: "idle.targetMs = pair.#pace.targetMs();",
  },
  {
    name: "no adjust where a side has ended",
    file: PENALTY,
    find: "    this.#checkRow(idle);\n    return this.#switch() === NEED ? NEED : this.#handOnAll();",
    replace: "    this.#checkRow(idle);\n    this.#swap();\n    return this.#handOnAll();",
  },
  {
    name: "run cut at need",
    file: "splicer.ts",
    find: "      if (piece === NEED) {\n        return NEED;",
    replace: "      if (piece === NEED) {\n        return open.block === undefined ? NEED : this.#handOut();",
  },
  {
    name: "idle block skipped one too many",
    file: "strategy/side.ts",
    find: "if (this.#lastMs >= targetMs) {",
    replace: "if (this.#lastMs > targetMs) {",
  },
  {
    name: "no initial penalty",
    file: PACE,
    find: "INITIAL_PENALTY_MS = 5000",
    replace: "INITIAL_PENALTY_MS = 0",
  },
  {
    name: "steady for a millisecond too long",
    file: PACE,
    find: "deltaMs <= penaltyMs && Math.floor",
    replace: "deltaMs <= penaltyMs + 1 && Math.floor",
  },
  {
    name: "the pace of an inner pair taken over unseen",
    file: PENALTY,
    find: "inner.#steadyPenaltyMs === pace.penaltyMs",
    replace: "inner.#steadyPenaltyMs >= 0",
  },
  {
    name: "the last block wins where blocks overlap",
    file: "normalise.ts",
    find: "if (open.rowMs < (earliest?.rowMs ?? untilMs)) {",
    replace: "if (open.rowMs < untilMs && open.rowMs <= (earliest?.rowMs ?? untilMs)) {",
  },
  {
    name: "the end of the window exclusive",
    file: "window.ts",
    find: "seekRow(block.timestamps(), row, block.count, this.#endMs + 1)",
    replace: "seekRow(block.timestamps(), row, block.count, this.#endMs)",
  },
  {
    name: "a checkpoint forgets the open run",
    file: "splicer.ts",
    find: "    if (block !== undefined) {\n      const timestamps",
    replace: "    if (block !== undefined && end < 0) {\n      const timestamps",
  },
];
