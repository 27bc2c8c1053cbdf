/** The built commands of the demo as a user starts them: as processes of their own, with pipes instead of a terminal. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** How a command ended, and all that it wrote. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Runs a command to its end. */
export async function runProgram(
  name: "main" | "serve",
  words: readonly string[],
  environment: Environment = {},
): Promise<Ended> {
  return new Program(name, words, environment).ended;
}

/** A command while it runs. */
export class Program {
  readonly ended: Promise<Ended>;
  readonly #process: ChildProcessWithoutNullStreams;
  #stdout = "";
  #stderr = "";

  constructor(name: "main" | "serve", words: readonly string[], environment: Environment = {}) {
    const { NO_COLOR: _noColor, FORCE_COLOR: _forceColor, PROMSPLICE_BEARER_TOKEN: _token, ...ours } = process.env;
    const program = fileURLToPath(new URL(`../dist/${name}.js`, import.meta.url));
    this.#process = spawn(process.execPath, [program, ...words], { env: { ...ours, ...environment } });
    this.#process.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
    });
    this.#process.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.ended = once(this.#process, "close").then(([status]: (number | null)[]) => ({
      status: status ?? null,
      stdout: this.#stdout,
      stderr: this.#stderr,
    }));
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  signal(signal: "SIGINT" | "SIGTERM" | "SIGKILL"): void {
    this.#process.kill(signal);
  }
}
