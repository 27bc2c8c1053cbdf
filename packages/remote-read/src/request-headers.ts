/** The headers of requests: those of the protocol, and those that the user gives. */

/** Of this package; a test holds it to package.json. */
const VERSION = "0.1.0";

/** What Prometheus' client sends, but for its name. */
const PROTOCOL_HEADERS: Readonly<Record<string, string>> = {
  "Content-Type": "application/x-protobuf",
  "Content-Encoding": "snappy",
  "Accept-Encoding": "snappy",
  "X-Prometheus-Remote-Read-Version": "0.1.0",
  "User-Agent": `Promsplice/${VERSION}`,
};

export interface BasicAuth {
  /** Without a colon. */
  readonly username: string;
  readonly password: string;
}

export interface RequestHeadersOptions {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly basicAuth?: BasicAuth | undefined;
  readonly bearerToken?: string | undefined;
}

/**
 * Makes the headers. No message of an error shows a value: they may be secret.
 *
 * @throws TypeError for a header that the protocol sets, more than one way to authenticate, or what HTTP cannot carry.
 */
export function makeHeaders({ headers = {}, basicAuth, bearerToken }: RequestHeadersOptions): Headers {
  const made = new Headers(PROTOCOL_HEADERS);
  for (const [name, value] of Object.entries(headers)) {
    if (isReserved(name)) {
      throw new TypeError(`header ${name} is set by the protocol`);
    }
    setHeader(made, name, value);
  }
  const isAuthorized = made.has("Authorization");
  if (Number(isAuthorized) + Number(basicAuth !== undefined) + Number(bearerToken !== undefined) > 1) {
    throw new TypeError("more than one of basicAuth, bearerToken and a header Authorization is given");
  }
  if (basicAuth !== undefined) {
    if (basicAuth.username.includes(":")) {
      throw new TypeError("basicAuth.username has a colon, which cannot be sent");
    }
    const bytes = new TextEncoder().encode(`${basicAuth.username}:${basicAuth.password}`);
    setHeader(made, "Authorization", `Basic ${btoa(Array.from(bytes, (byte) => String.fromCodePoint(byte)).join(""))}`);
  }
  if (bearerToken !== undefined) {
    setHeader(made, "Authorization", `Bearer ${bearerToken}`);
  }
  return made;
}

function isReserved(name: string): boolean {
  const reserved = [...Object.keys(PROTOCOL_HEADERS), "Content-Length", "Host", "Connection", "Transfer-Encoding"];
  return reserved.some((other) => other.toLowerCase() === name.toLowerCase());
}

function setHeader(headers: Headers, name: string, value: string): void {
  try {
    headers.set(name, value);
  } catch {
    throw new TypeError(`header ${name} has a name or a value that HTTP cannot carry`);
  }
}
