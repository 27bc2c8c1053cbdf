/**
 * Why a replica could not be read, in plain words, and what to check:
 *
 *     prom-b:9090: connection refused. Check that Prometheus runs there, and the port.
 */
import { RemoteReadError } from "@promsplice/remote-read";
import type { Replica } from "./replicas.ts";

/** What went wrong; what to check. Neither ends with a full stop. */
type Told = readonly [problem: string, check: string];

/** What Node's errors of the network and of TLS mean, by their codes. */
const NETWORK: Readonly<Record<string, Told>> = {
  ECONNREFUSED: ["connection refused", "Check that Prometheus runs there, and the port"],
  ENOTFOUND: ["there is no host of that name", "Check the name"],
  EAI_AGAIN: ["its name could not be looked up", "Check the name, and the network"],
  EHOSTUNREACH: ["the host cannot be reached", "Check the address, and the network"],
  ENETUNREACH: ["the host cannot be reached", "Check the address, and the network"],
  ETIMEDOUT: ["no connection in time", "Check host and port, and what filters packets before it"],
  UND_ERR_CONNECT_TIMEOUT: ["no connection in time", "Check host and port, and what filters packets before it"],
  CERT_HAS_EXPIRED: ["its TLS certificate has expired", "Renew it, or check this machine's clock"],
  CERT_NOT_YET_VALID: ["its TLS certificate is not valid yet", "Check this machine's clock"],
  ERR_TLS_CERT_ALTNAME_INVALID: ["its TLS certificate is for another host", "Use a name that is in the certificate"],
};

/** What OpenSSL says of a certificate that no known authority has signed. */
const UNTRUSTED: ReadonlySet<string> = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

const CREDENTIALS = "user:password@ in the address, PROMSPLICE_BEARER_TOKEN or --bearer-token-file";

/** One sentence on what happened and one on what to check, in one line; the replica's name is left to the caller. */
export function tellFailure(error: Error, replica: Replica): string {
  const [problem, check] = error instanceof RemoteReadError ? tell(error, replica) : tellOther(error);
  return `${problem}. ${check}.`;
}

function tell(error: RemoteReadError, replica: Replica): Told {
  const { code, message, series = "a series" } = error;
  if (code === "connection-failed" || code === "body-truncated" || code === "timeout") {
    return tellConnection(error, replica);
  }
  if (code === "http-status") {
    return tellStatus(message, replica);
  }
  if (code === "content-type") {
    return message.includes("HTML page")
      ? ["it answers with an HTML page", "Check the address, and whether a proxy or a login stands before Prometheus"]
      : [`it answers, but not as remote read does (${message})`, "Check the address"];
  }
  if (code === "chunk-type-unsupported") {
    const problem = `${series} holds chunks of a kind that is not known here`;
    return [problem, "Leave it out of the selector"];
  }
  if (code === "series-out-of-order") {
    const check = "Give a server that holds one replica, and check --replica-label";
    return [`its series are not in order (${message})`, check];
  }
  if (code === "remote-error-text") {
    return [`it failed in the middle of its answer: ${message}`, "Look into its log"];
  }
  return [message, "Check what stands between here and Prometheus, or choose a shorter range"];
}

function tellConnection({ code, message, cause }: RemoteReadError, { url, name }: Replica): Told {
  const codes = codesOf(cause);
  const known = codes.find((one) => one in NETWORK);
  if (known !== undefined) {
    return NETWORK[known]!;
  }
  if (codes.some((one) => UNTRUSTED.has(one))) {
    return [
      "its TLS certificate is signed by no authority that is known here",
      "Name the authority's certificate, or its own: NODE_EXTRA_CA_CERTS=file.pem",
    ];
  }
  if (codes.some((one) => one.startsWith("ERR_SSL_") || one === "EPROTO")) {
    return ["it does not speak TLS", `Write http://${name} if that is what it speaks`];
  }
  if (code === "timeout") {
    return [message, "Check its load, or choose a shorter range"];
  }
  if (code === "body-truncated") {
    return [`its answer was cut (${message})`, "Check its log, and what stands between"];
  }
  if (codes.includes("UND_ERR_SOCKET") || codes.includes("ECONNRESET")) {
    const other = url.startsWith("https:") ? "http" : "https";
    return ["it closed the connection without an answer", `Check the port, and whether it speaks ${other}`];
  }
  return [message, "Check the address"];
}

/** The status stands in the message only: `answered with status 404 Not Found: …`. */
function tellStatus(message: string, { hasCredentials }: Replica): Told {
  const status = Number(/status (\d{3})/u.exec(message)?.[1]);
  const problem = message.replace(/, so what answers is not remote read: .*$/u, "").replace(/[.\s]+$/u, "");
  if (/HTTPS server|plain HTTP request/iu.test(message)) {
    return ["it speaks TLS", "Write https:// in the address"];
  }
  if (status === 401 || status === 403) {
    const what = status === 401 ? "it asks who you are (status 401)" : "it does not let you read (status 403)";
    return hasCredentials
      ? [`${what} in spite of what it was given`, "Check user and password, or the token"]
      : [what, `Give ${CREDENTIALS}`];
  }
  if (status === 404 || status === 405) {
    const page = message.includes("HTML page") ? ", an HTML page" : "";
    return [
      `there is no remote read at that address (status ${status}${page})`,
      "Check the path: it is what stands before /api/v1/read, as in Prometheus' --web.external-url",
    ];
  }
  if (status >= 300 && status < 400) {
    return [problem.replace(/: check the address$/u, ""), "Give the address that it leads to"];
  }
  return [problem, status < 500 || /regexp/iu.test(message) ? "Check the selector" : "Look into its log"];
}

function tellOther(error: Error): Told {
  return [error.message, "Check the address"];
}

/** The codes of an error and of everything that caused it. */
function codesOf(error: unknown): string[] {
  if (!(error instanceof Error)) {
    return [];
  }
  const own = "code" in error && typeof error.code === "string" ? [error.code] : [];
  const inner: readonly unknown[] = error instanceof AggregateError ? error.errors : [];
  return [...own, ...inner.flatMap((one) => codesOf(one)), ...codesOf(error.cause)];
}
