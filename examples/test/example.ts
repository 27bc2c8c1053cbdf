/** An example as a user starts it: a process of its own, under its runtime. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const START_MS_MAX = 20_000;

export interface Example {
  /** Its address, without a slash at the end. */
  readonly url: string;
  /** What it has written so far, to both outputs. */
  readonly output: () => string;
  stop(): Promise<void>;
}

/**
 * Starts an example that is a server, on a port that is free, and waits until it answers.
 *
 * @param command The runtime and its options; the file of the example and its words follow.
 */
export async function startExample(
  command: readonly string[],
  file: string,
  words: readonly string[] = [],
): Promise<Example> {
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const { child, output } = spawnExample(command, file, words, { PORT: String(port) });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "close");
    }
  };
  const endMs = Date.now() + START_MS_MAX;
  while (!(await answers(url))) {
    if (child.exitCode !== null || Date.now() > endMs) {
      await stop();
      throw new Error(`${file} does not listen on port ${port}: ${output()}`);
    }
    await sleep(50);
  }
  return { url, output, stop };
}

/** Runs an example to its end and answers what it printed; throws where it fails. */
export async function runExample(command: readonly string[], file: string, words: readonly string[]): Promise<string> {
  const { child, output } = spawnExample(command, file, words, {});
  const [status] = await once(child, "close");
  if (status !== 0) {
    throw new Error(`${file} ended with ${status}: ${output()}`);
  }
  return output();
}

function spawnExample(
  [program, ...options]: readonly string[],
  file: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
): { readonly child: ChildProcess; readonly output: () => string } {
  const child = spawn(program!, [...options, file, ...words], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
    });
  }
  return { child, output: () => text };
}

async function answers(url: string): Promise<boolean> {
  try {
    await (await fetch(url)).text();
    return true;
  } catch {
    return false;
  }
}

/** A port of 127.0.0.1 on which nobody listens. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
