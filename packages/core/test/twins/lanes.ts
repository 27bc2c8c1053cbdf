/**
 * The naive twin of `thanosLanes`, over chunks as text: each lane is searched from its front, and bytes are compared as the
 * hexadecimal digits that they are. It imports nothing from the sources.
 */
export interface Chunk {
  readonly id: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly isFloat: boolean;
  /** Hexadecimal; undefined where the block has none. */
  readonly digits: string | undefined;
}

export function lanesTwin(replicas: readonly (readonly Chunk[])[]): number[][] {
  const pooled = replicas.flat();
  const kept = pooled.filter((chunk, index) => !pooled.slice(0, index).some((other) => isSame(chunk, other)));
  const lanes: Chunk[][] = [];
  while (kept.length > 0) {
    let next = 0;
    for (let index = 1; index < kept.length; index++) {
      next = isBefore(kept[index]!, kept[next]!) ? index : next;
    }
    const [chunk] = kept.splice(next, 1) as [Chunk];
    const free = lanes.findIndex((lane) => lane.every(({ lastMs }) => lastMs < chunk.firstMs));
    (free < 0 ? (lanes[lanes.push([]) - 1] as Chunk[]) : lanes[free]!).push(chunk);
  }
  return lanes.map((lane) => lane.map(({ id }) => id));
}

function isSame(one: Chunk, other: Chunk): boolean {
  return (
    one.digits !== undefined &&
    one.digits === other.digits &&
    one.isFloat === other.isFloat &&
    one.firstMs === other.firstMs &&
    one.lastMs === other.lastMs
  );
}

function isBefore(one: Chunk, other: Chunk): boolean {
  if (one.firstMs !== other.firstMs) {
    return one.firstMs < other.firstMs;
  }
  if (one.lastMs !== other.lastMs) {
    return one.lastMs < other.lastMs;
  }
  if (one.isFloat !== other.isFloat) {
    return one.isFloat;
  }
  return one.digits !== undefined && (other.digits === undefined || one.digits > other.digits);
}
