import { RemoteReadError } from "../src/remote-read-error.ts";

/** The error that something throws, which must be one of ours. */
export function errorOf(action: () => unknown): RemoteReadError {
  try {
    action();
  } catch (error) {
    if (error instanceof RemoteReadError) {
      return error;
    }
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** The code of what something throws, or `none`. */
export function codeOf(action: () => unknown): string {
  try {
    action();
    return "none";
  } catch (error) {
    return error instanceof RemoteReadError ? error.code : String(error);
  }
}
