/** The end of a server process: it listens on a free port of loopback, tells its parent which, and ends with it. */
import { serve } from "@hono/node-server";

/** Serves a handler; the message to the parent is `{ port }`. */
export function listen(handle: (request: Request) => Promise<Response>): void {
  serve({ fetch: handle, hostname: "127.0.0.1", port: 0 }, ({ port }) => process.send?.({ port }));
  process.on("disconnect", () => process.exit());
}
