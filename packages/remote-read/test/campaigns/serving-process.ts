/** The process of `serving-child.mjs`, seen from outside: what it counts, and what the system knows of it. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import type { ReadHandlerLimits } from "../../src/handler.ts";
import { answerOf } from "../read-exchange.ts";
import type { ClientAnswer } from "../strict-client.ts";

/** What the process has counted since it was started. */
export interface ServingCounts {
  /** Connections of clients that are open. */
  readonly connections: number;
  /** Errors that clients got to see. */
  readonly errors: readonly string[];
  /** What is alive, on the heap and outside of it. */
  readonly liveMebibytes: number;
  readonly readings: { readonly started: number; readonly ended: number };
  /** For each client that was dropped because it took nothing: how long after its last series was made, in ms. */
  readonly stallsMs: readonly number[];
  /** Rejections and exceptions that nobody handled. */
  readonly unhandled: readonly string[];
}

export class ServingProcess {
  readonly #child: ChildProcess;
  readonly port: number;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** Starts one with a heap of at most `heapMebibytes`, which splices these replicas. */
  static async start(
    replicas: readonly string[],
    limits: Partial<ReadHandlerLimits>,
    heapMebibytes: number,
  ): Promise<ServingProcess> {
    const child = fork(
      fileURLToPath(new URL("serving-child.mjs", import.meta.url)),
      [JSON.stringify({ replicas, limits })],
      { execArgv: ["--expose-gc", `--max-old-space-size=${heapMebibytes}`] },
    );
    const { port } = await messageFrom<{ readonly port: number }>(child);
    return new ServingProcess(child, port);
  }

  /** Collects its garbage and says what it has counted. */
  async look(): Promise<ServingCounts> {
    this.#child.send("look");
    return messageFrom(this.#child);
  }

  /** What it holds of the machine's memory; to be asked after `look`. */
  residentMebibytes(): number {
    const kibibytes = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${this.#child.pid}/status`, "utf8"));
    return Number(kibibytes![1]) / 1024;
  }

  /** How many descriptors it has open: files, pipes, sockets to clients and to replicas. */
  descriptors(): number {
    return readdirSync(`/proc/${this.#child.pid}/fd`).length;
  }

  /** Sends a request on a connection that others do not have, and gives the whole answer. */
  async ask(body: Uint8Array): Promise<ClientAnswer> {
    const response = await fetch(`http://127.0.0.1:${this.port}/api/v1/read`, {
      method: "POST",
      body: Uint8Array.from(body),
      headers: { Connection: "close" },
    });
    return answerOf(response);
  }

  async stop(): Promise<void> {
    const exit = once(this.#child, "exit");
    this.#child.disconnect();
    await exit;
  }
}

/** The next message. Throws if the process ends before it, as one does that runs out of memory. */
async function messageFrom<T>(child: ChildProcess): Promise<T> {
  const ended = new AbortController();
  const exit = once(child, "exit", { signal: ended.signal }).then(([code, signal]) => {
    throw new Error(`the serving process ended: code ${code}, signal ${signal}`);
  });
  try {
    const [message] = await Promise.race([once(child, "message", { signal: ended.signal }), exit]);
    return message as T;
  } finally {
    ended.abort();
    exit.catch(() => undefined);
  }
}
