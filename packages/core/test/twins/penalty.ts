/**
 * The naive twin of `penalty`: Thanos' iterators (pkg/dedup/iter.go), one step at a time over plain rows. It imports
 * nothing from the sources and shares no idea with them: every step moves both sides.
 */

/** A sample: a float as the two 32-bit words of its bits, or a histogram by its number. */
export interface Row {
  readonly t: number;
  readonly high: number;
  readonly low: number;
  readonly histogram: number | undefined;
}

/** A sample of the output: row `row` of replica `replica`, with `add` added to it if it is a float. */
export interface Shown {
  readonly t: number;
  readonly replica: number;
  readonly row: number;
  readonly add: number;
}

type Kind = "none" | "float" | "histogram";

interface Iterator {
  next(): Kind;
  seek(t: number): Kind;
  atT(): number;
  /** The value with the adjust that it has by now. */
  at(): number;
  adjustAtValue(shown: number): void;
  shown(): Shown;
}

const words = new Uint32Array(2);
const double = new Float64Array(words.buffer);

/** The value of a float row as a number, to compare and add only. */
function valueOf(row: Row): number {
  words[0] = row.low;
  words[1] = row.high;
  return double[0]!;
}

class Replica implements Iterator {
  readonly rows: readonly Row[];
  readonly replica: number;
  position = -1;
  adjust = 0;

  constructor(rows: readonly Row[], replica: number) {
    this.rows = rows;
    this.replica = replica;
  }

  next(): Kind {
    this.position++;
    return this.kind();
  }

  seek(t: number): Kind {
    while (this.position < this.rows.length && this.rows[this.position]!.t < t) {
      this.position++;
    }
    return this.kind();
  }

  kind(): Kind {
    const row = this.rows[this.position];
    return row === undefined ? "none" : row.histogram === undefined ? "float" : "histogram";
  }

  atT(): number {
    return this.rows[this.position]!.t;
  }

  at(): number {
    const value = valueOf(this.rows[this.position]!);
    return this.adjust === 0 ? value : value + this.adjust;
  }

  adjustAtValue(shown: number): void {
    const value = this.at();
    if (shown > value) {
      this.adjust += shown - value;
    }
  }

  shown(): Shown {
    const { replica, position } = this;
    return { t: this.atT(), replica, row: position, add: this.adjust };
  }
}

class Pair implements Iterator {
  readonly a: Iterator;
  readonly b: Iterator;
  readonly counter: boolean;
  kindA: Kind;
  kindB: Kind;
  last = -Infinity;
  penaltyA = 0;
  penaltyB = 0;
  usesA = true;

  constructor(a: Iterator, b: Iterator, counter: boolean) {
    this.a = a;
    this.b = b;
    this.counter = counter;
    this.kindA = a.next();
    this.kindB = b.next();
  }

  next(): Kind {
    const usedA = this.usesA;
    const stoodOnFloat = (usedA ? this.kindA : this.kindB) === "float";
    const stoodAt = stoodOnFloat ? (usedA ? this.a : this.b).at() : NaN;
    const kind = this.step();
    if (this.counter && this.usesA !== usedA && stoodOnFloat) {
      this.adjustAtValue(stoodAt);
    }
    return kind;
  }

  step(): Kind {
    if (this.kindA !== "none") {
      this.kindA = this.a.seek(this.last + 1 + this.penaltyA);
    }
    if (this.kindB !== "none") {
      this.kindB = this.b.seek(this.last + 1 + this.penaltyB);
    }
    if (this.kindA === "none") {
      this.usesA = false;
      if (this.kindB !== "none") {
        this.last = this.b.atT();
        this.penaltyB = 0;
      }
      return this.kindB;
    }
    if (this.kindB === "none") {
      this.usesA = true;
      this.last = this.a.atT();
      this.penaltyA = 0;
      return this.kindA;
    }
    const tA = this.a.atT();
    const tB = this.b.atT();
    this.usesA = tA <= tB;
    const t = this.usesA ? tA : tB;
    const penalty = this.last === -Infinity ? 5000 : 2 * (t - this.last);
    this.penaltyA = this.usesA ? 0 : penalty;
    this.penaltyB = this.usesA ? penalty : 0;
    this.last = t;
    return this.usesA ? this.kindA : this.kindB;
  }

  seek(t: number): Kind {
    for (;;) {
      if (this.last >= t) {
        return this.usesA ? this.kindA : this.kindB;
      }
      if (this.next() === "none") {
        return "none";
      }
    }
  }

  atT(): number {
    return this.last;
  }

  at(): number {
    return (this.usesA ? this.a : this.b).at();
  }

  adjustAtValue(shown: number): void {
    if (this.kindA === "float") {
      this.a.adjustAtValue(shown);
    }
    if (this.kindB === "float") {
      this.b.adjustAtValue(shown);
    }
  }

  shown(): Shown {
    return (this.usesA ? this.a : this.b).shown();
  }
}

/** What Thanos shows of these replicas, a left fold of pairs. */
export function penaltyTwin(replicas: readonly (readonly Row[])[], counter: boolean): Shown[] {
  const shown: Shown[] = [];
  if (replicas.length === 0) {
    return shown;
  }
  const joined = replicas
    .map((rows, replica): Iterator => new Replica(rows, replica))
    .reduce((a, b) => new Pair(a, b, counter));
  while (joined.next() !== "none") {
    shown.push(joined.shown());
  }
  return shown;
}
