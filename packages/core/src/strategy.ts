/** A strategy decides, by timestamps, which replica supplies the spliced series at which time. */
import type { Source, SourcesState } from "./source.ts";
import type { ReplicaWindow } from "./window.ts";

/** The options that a strategy was made with, as plain data. */
export type StrategyOptions = Readonly<Record<string, number | boolean | string>>;

/** Made by `penalty()` and its siblings, and given to `dedup`, `splice` and the others; what is inside is no contract. */
export class Strategy {
  readonly name: string;
  readonly options: StrategyOptions;
  /**
   * Whether samples near the edges of a window depend on what lies outside it, so that who cuts answers to a window should
   * ask for more and trim.
   */
  readonly needsContext: boolean;
  readonly #join: (windows: readonly ReplicaWindow[], saved: SourcesState | undefined) => Source;

  /** @internal */
  constructor(
    name: string,
    options: StrategyOptions,
    join: (windows: readonly ReplicaWindow[], saved: SourcesState | undefined) => Source,
    needsContext = false,
  ) {
    this.needsContext = needsContext;
    this.name = name;
    this.options = options;
    this.#join = join;
  }

  /**
   * Joins the windows of one or more replicas into the source that the kernel reads.
   *
   * @internal
   */
  join(windows: readonly ReplicaWindow[], saved: SourcesState | undefined): Source {
    return this.#join(windows, saved);
  }
}
