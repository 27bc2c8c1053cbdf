/** What a hostile replica does, and what has to be said of it. */
import type { RemoteReaderTimeouts } from "../../src/client.ts";
import type { RemoteReadErrorCode } from "../../src/remote-read-error.ts";
import type { Answer } from "../answering-server.ts";
import type { HeldSeries } from "./pair.ts";

/** The form in which a replica answers. */
export type Form = "frames" | "samples";

export interface Fault {
  readonly title: string;
  /** The forms that can have it; both by default. */
  readonly forms?: readonly Form[];
  /** What is reported, of each form; undefined where it is no fault, or cannot be seen. */
  readonly code?: RemoteReadErrorCode | Readonly<Record<Form, RemoteReadErrorCode | undefined>>;
  /** The first series without the replica, of frames: this one, or at the latest this one. All are, by default. */
  readonly from?: string;
  readonly atLatest?: string;
  /** What such a replica legally sends, of what it holds; all by default. */
  readonly sent?: (held: readonly HeldSeries[], form: Form) => readonly HeldSeries[];
  readonly timeouts?: Partial<RemoteReaderTimeouts>;
  /** True where nobody can tell whether the answer was whole. */
  readonly isUnverifiable?: boolean;
  /** True where a client that is sent chunks as they came sees it, and nobody before. */
  readonly isPassedOn?: boolean;
  /** None for a replica that is down. */
  readonly answer: ((held: readonly HeldSeries[], form: Form) => Answer) | undefined;
}
