/**
 * Why a strategy goes over to another replica. Where it does it sets a code, and up to two lengths of time, on the piece
 * that begins there: numbers, since nothing may be allocated per row. `describeReason` makes them the object that
 * `explainer` shows.
 */
import type { Piece } from "./source.ts";

/** Why a replica is shown from a sample on. */
export type Reason =
  /** Nothing was shown before: it has the first sample. */
  | { readonly kind: "first" }
  /** The splice goes on from a checkpoint. */
  | { readonly kind: "resumed" }
  /** Over lanes: the lane goes on with a block of this replica. */
  | { readonly kind: "lane" }
  /** `penalty`: the replica that was shown has no samples any more. */
  | { readonly kind: "exhausted" }
  /**
   * `penalty`: the replica that was shown has none for `gapMs` after its last sample, and others are let in `penaltyMs` after
   * it.
   */
  | { readonly kind: "penalty"; readonly gapMs: number; readonly penaltyMs: number }
  /** `chain`: its sample is the next in time. */
  | { readonly kind: "next-in-time" }
  /** `interval`: its sample is the last of a bucket. */
  | { readonly kind: "last-in-bucket" }
  /** `interval`: its sample wins among those of equal time. */
  | { readonly kind: "tie" }
  /** `fill`: it goes before the replica that was shown, and has samples again. */
  | { readonly kind: "preferred" }
  /**
   * `fill`: the replicas before it have a hole here. `intervalMs`, by which it is one, is I of the rule, and `spacingMs`, by
   * which samples are taken into it, is J. NaN where the hole began before a checkpoint.
   */
  | { readonly kind: "hole"; readonly intervalMs: number; readonly spacingMs: number }
  /** `fill`: its stale marker is shown. */
  | { readonly kind: "stale-marker" };

/** The replica stays the same, or nobody says why it does not. */
export const UNSAID = 0;
export const EXHAUSTED = 1;
/** `reasonMs`: the gap; `reasonSecondMs`: the penalty. */
export const PENALTY = 2;
export const NEXT_IN_TIME = 3;
export const LAST_IN_BUCKET = 4;
export const TIE = 5;
export const PREFERRED = 6;
/** `reasonMs`: I; `reasonSecondMs`: J. */
export const HOLE = 7;
export const STALE_MARKER = 8;

export type ReasonCode =
  | typeof UNSAID
  | typeof EXHAUSTED
  | typeof PENALTY
  | typeof NEXT_IN_TIME
  | typeof LAST_IN_BUCKET
  | typeof TIE
  | typeof PREFERRED
  | typeof HOLE
  | typeof STALE_MARKER;

/** The reason that a piece carries, as an object; undefined where it carries none. */
export function describeReason({ reason, reasonMs, reasonSecondMs }: Piece): Reason | undefined {
  switch (reason) {
    case EXHAUSTED:
      return { kind: "exhausted" };
    case PENALTY:
      return { kind: "penalty", gapMs: reasonMs, penaltyMs: reasonSecondMs };
    case NEXT_IN_TIME:
      return { kind: "next-in-time" };
    case LAST_IN_BUCKET:
      return { kind: "last-in-bucket" };
    case TIE:
      return { kind: "tie" };
    case PREFERRED:
      return { kind: "preferred" };
    case HOLE:
      return { kind: "hole", intervalMs: reasonMs, spacingMs: reasonSecondMs };
    case STALE_MARKER:
      return { kind: "stale-marker" };
    case UNSAID:
    default:
      return undefined;
  }
}
