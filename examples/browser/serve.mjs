/** Serves the page to this machine; any server of static files does as well, with `examples` as its root. */
import { fileURLToPath } from "node:url";
import { serve } from "@hono/node-server";
import { serveStatic } from "@hono/node-server/serve-static";
import { Hono } from "hono";

const app = new Hono();
app.get("/", (context) => context.redirect("/browser/"));
app.use(serveStatic({ root: fileURLToPath(new URL("..", import.meta.url)) }));

serve({ fetch: app.fetch, hostname: "127.0.0.1", port: Number(process.env.PORT ?? 8080) }, ({ port }) => {
  console.log(`http://127.0.0.1:${port}/browser/`);
});
