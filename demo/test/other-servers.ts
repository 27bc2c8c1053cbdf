/** Servers that are no Prometheus, or do not let everybody in: what somebody meets who has the wrong address. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";

/** A key and the certificate that goes with it, which nobody trusts who is not told to. */
export const SELF_SIGNED = fileURLToPath(new URL("self-signed.pem", import.meta.url));

export interface OtherServer {
  /** Such as `http://127.0.0.1:41234`. */
  readonly address: string;
  /** The header `Authorization` of each request, in order. */
  readonly authorizations: readonly (string | undefined)[];
  close(): Promise<void>;
}

/** What each path answers: `/404` with 404 and so on. */
const answer: RequestListener = (request, response) => {
  const path = request.url!.replace(/\/api\/v1\/read$/u, "");
  const html = { "Content-Type": "text/html; charset=utf-8" };
  switch (path) {
    case "/html":
      response.writeHead(200, html).end("<!doctype html><title>Sign in</title>");
      return;
    case "/html-404":
      response.writeHead(404, html).end("<html><h1>Not Found</h1></html>");
      return;
    case "/redirect":
      response.writeHead(302, { Location: "https://login.example/" }).end();
      return;
    case "/400":
      response.writeHead(400).end("error parsing regexp: missing closing ): `(`\n");
      return;
    case "/500":
      response.writeHead(500).end("disk is on fire\n");
      return;
    default:
      response.writeHead(/^\/\d{3}$/u.test(path) ? Number(path.slice(1)) : 404).end("no\n");
  }
};

export async function startOtherServer(): Promise<OtherServer> {
  return open(createServer(), "http");
}

/** The same with TLS, by the certificate that it has signed itself. */
export async function startTlsServer(): Promise<OtherServer> {
  const pem = readFileSync(SELF_SIGNED);
  return open(createTlsServer({ key: pem, cert: pem }), "https");
}

/** The address of a port on which nobody listens. */
export async function findClosedAddress(): Promise<string> {
  const server = await startOtherServer();
  await server.close();
  return server.address;
}

async function open(server: Server, scheme: string): Promise<OtherServer> {
  const authorizations: (string | undefined)[] = [];
  server.on("request", (request: IncomingMessage) => authorizations.push(request.headers.authorization));
  server.on("request", answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    authorizations,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
