/**
 * A body that fails breaks its connection without a word. `@hono/node-server` does too, but writes the error with its stack
 * to the console, and knows no option against it; whoever serves tells the error in its own words.
 */

/**
 * The same answer, whose body never fails: where the original does, `outgoing` is destroyed, and the client sees a broken
 * connection.
 */
export function breakQuietly(response: Response, outgoing: { destroy(): unknown }): Response {
  // Texts of errors are at hand as a whole.
  const original = response.ok ? response.body?.getReader() : undefined;
  if (original === undefined) {
    return response;
  }
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await original.read();
          if (done) {
            controller.close();
          } else {
            controller.enqueue(value);
          }
        } catch {
          // The server's cancel follows when the connection is closed: until then this body just gives nothing.
          outgoing.destroy();
        }
      },
      cancel: (reason) => original.cancel(reason),
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { status: response.status, headers: response.headers });
}
