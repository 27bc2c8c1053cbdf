import type { Block } from "../block.ts";
import type { Piece } from "../source.ts";
import { findRow } from "../stale-marker.ts";

/** Rows of one block, numbered from `base`; its columns are decoded when first asked for. */
export class Stretch {
  readonly block: Block;
  readonly base: number;
  readonly end: number;
  readonly firstMs: number;
  readonly lastMs: number;
  /** What to add to a row's number to have its place in the block. */
  readonly shift: number;
  #timestamps: Float64Array | undefined = undefined;
  #staleRows: Uint32Array | undefined = undefined;

  constructor({ block, start, end }: Piece, base: number) {
    this.block = block!;
    this.base = base;
    this.end = base + end - start;
    this.shift = start - base;
    this.firstMs = start === 0 ? this.block.firstMs : this.timestamps()[start]!;
    this.lastMs = end === this.block.count ? this.block.lastMs : this.timestamps()[end - 1]!;
  }

  timestamps(): Float64Array {
    this.#timestamps ??= this.block.timestamps();
    return this.#timestamps;
  }

  /** The first row at or after `row` that holds a stale marker, or the end. */
  nextStale(row: number): number {
    this.#staleRows ??= this.block.staleRows();
    const rows = this.#staleRows;
    const index = rows.length === 0 ? 0 : findRow(rows, row + this.shift);
    return index < rows.length ? Math.min(rows[index]! - this.shift, this.end) : this.end;
  }
}
