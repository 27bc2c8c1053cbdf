/** The body of a request, gathered under a limit. */
import { RemoteReadError } from "./remote-read-error.ts";

/** Enough for nearly all requests: those of Prometheus are some hundred bytes. */
const FIRST_BYTES = 4096;

/**
 * Reads the whole body, none at all being an empty one. Of a longer one than `bytesMax` the rest is not read, and none of it
 * is once the signal is aborted.
 *
 * @throws RemoteReadError `limit-exceeded`; whatever the transport says where the body does not come to its end.
 */
export async function readRequestBody(request: Request, bytesMax: number, signal: AbortSignal): Promise<Uint8Array> {
  const { body } = request;
  if (body === null) {
    return new Uint8Array(0);
  }
  const reader = body.getReader();
  const stop = (): void => {
    reader.cancel().catch(() => {});
  };
  signal.addEventListener("abort", stop);
  try {
    let gathered = new Uint8Array(Math.min(FIRST_BYTES, bytesMax));
    let length = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        return gathered.subarray(0, length);
      }
      if (length + value.length > bytesMax) {
        stop();
        throw new RemoteReadError("limit-exceeded", `request is over ${bytesMax} bytes`);
      }
      // Copied, not kept: a byte that comes alone would hold on to the whole buffer that it came in.
      gathered = makeRoom(gathered, length, length + value.length);
      gathered.set(value, length);
      length += value.length;
    }
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** A buffer of at least `wanted` bytes that begins with the first `length` of this one: itself, or one of twice its size. */
function makeRoom(buffer: Uint8Array<ArrayBuffer>, length: number, wanted: number): Uint8Array<ArrayBuffer> {
  if (wanted <= buffer.length) {
    return buffer;
  }
  const larger = new Uint8Array(Math.max(wanted, 2 * buffer.length));
  larger.set(buffer.subarray(0, length));
  return larger;
}
