/** Where `serve` listens: `:9201`, `127.0.0.1:9201`, `[::1]:9201`. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type ServerType, serve } from "@hono/node-server";
import { Problem } from "./problem.ts";

export type Handle = NonNullable<Parameters<typeof serve>[0]["fetch"]>;

export interface Listener {
  readonly server: ServerType;
  /** Host and port under which this machine reaches it. */
  readonly host: string;
}

/** How long answers that are under way may take when the server is to end. */
const END_MS_MAX = 5000;

/**
 * Starts to listen.
 *
 * @param address A port after a colon, and before it a host; without one, all of this machine's addresses.
 * @throws Problem where that cannot be.
 */
export async function listen(address: string, handle: Handle): Promise<Listener> {
  const match = /^(?:\[([\da-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/u.exec(address);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new Problem(`--listen is ${JSON.stringify(address)}: write :9201, or 127.0.0.1:9201`);
  }
  const hostname = match[1] ?? match[2]!;
  const server = serve({ fetch: handle, port, ...(hostname === "" ? {} : { hostname }) });
  try {
    await once(server, "listening");
  } catch (error) {
    throw new Problem(tellListenError(error, address, hostname), { cause: error });
  }
  const isAny = hostname === "" || hostname === "0.0.0.0" || /^[0:]+$/u.test(hostname);
  const shown = isAny ? "localhost" : match[1] === undefined ? hostname : `[${hostname}]`;
  return { server, host: `${shown}:${(server.address() as AddressInfo).port}` };
}

/** Takes no more requests, waits for the answers that are under way, though not for ever, and closes all connections. */
export async function endServer(server: ServerType): Promise<void> {
  const closed = once(server, "close");
  server.close();
  const timer = setTimeout(() => {
    if ("closeAllConnections" in server) {
      server.closeAllConnections();
    }
  }, END_MS_MAX);
  await closed;
  clearTimeout(timer);
}

function tellListenError(error: unknown, address: string, hostname: string): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "EADDRINUSE":
      return `${address} is in use: end what listens there, or choose another port by --listen`;
    case "EACCES":
      return `${address} may not be listened on: choose a port from 1024 on`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `this machine has no address ${hostname}: write --listen :9201 for all that it has`;
    default:
      return `${address} cannot be listened on: ${error instanceof Error ? error.message : String(error)}`;
  }
}
