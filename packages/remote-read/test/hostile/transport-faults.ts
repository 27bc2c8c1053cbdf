/** Replicas that are not there, do not answer in time, answer something else, or whose answer is cut. */
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

import { answerCut, answerWhole, SAMPLES_TYPE } from "../answering-server.ts";
import { fromText } from "../bytes.ts";
import type { Fault, Form } from "./fault.ts";
import type { HeldSeries } from "./pair.ts";
import { bodyOf, frames, isBeforeM5, typeOf, whole, wholeAnswer } from "./sent.ts";

const SILENT: readonly Fault[] = [
  { title: "is down", code: "connection-failed", answer: undefined },
  {
    title: "is black-holed: it takes the request and never answers",
    code: "timeout",
    timeouts: { firstByteMs: 60 },
    answer: () => () => {},
  },
  {
    title: "sends the head a letter at a time",
    code: "timeout",
    timeouts: { firstByteMs: 60 },
    answer: () => (response) => {
      const head =
        "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nX-Padding: aaaaaaaaaaaaaaaaaaaaaaaaaa".split("");
      const timer = setInterval(() => response.socket?.write(head.shift() ?? "a"), 5);
      response.on("close", () => clearInterval(timer));
    },
  },
  {
    title: "sends a head and nothing more",
    code: "timeout",
    timeouts: { idleMs: 60 },
    answer: (_, form) => (response) => begin(response, form, new Uint8Array(0)),
  },
  {
    title: "stalls in mid-frame",
    code: "timeout",
    atLatest: "m3",
    timeouts: { idleMs: 60 },
    answer: (held, form) => (response) => begin(response, form, bodyOf(held, form).subarray(0, cutAt(held, form))),
  },
  {
    title: "stalls between two frames",
    code: "timeout",
    atLatest: "m3",
    timeouts: { idleMs: 60 },
    answer: (held, form) => (response) =>
      begin(response, form, bodyOf(held, form).subarray(0, cutAt(held, form, true))),
  },
  {
    title: "sends 1 KiB/s, and is out of time",
    code: "timeout",
    atLatest: "m6",
    timeouts: { totalMs: 400, idleMs: 10_000 },
    answer: (held, form) => (response) => {
      begin(response, form, new Uint8Array(0));
      trickle(response, bodyOf(held, form), 64, 62.5);
    },
  },
  {
    title: "sends 1 KiB/s, and is waited for",
    timeouts: { idleMs: 10_000 },
    answer: (held, form) => (response) => {
      begin(response, form, new Uint8Array(0));
      trickle(response, bodyOf(held, form), 64, 62.5);
    },
  },
  {
    title: "closes the connection before it answers",
    code: "connection-failed",
    answer: () => (response) => void response.socket!.end(),
  },
  {
    title: "resets the connection before it answers",
    code: "connection-failed",
    answer: () => (response) => void response.socket!.resetAndDestroy(),
  },
  {
    title: "does not speak HTTP",
    code: "connection-failed",
    answer: () => (response) => void response.socket!.end("SSH-2.0-OpenSSH_9.6\r\n"),
  },
];

const HTML = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>\n";

const STATUSES: readonly Fault[] = [
  ...[500, 503].map((code): Fault => ({
    title: `answers ${code}`,
    code: "http-status",
    answer: status(code, "upstream is not there\n"),
  })),
  {
    title: "answers 500 to a request for frames alone",
    answer: (held) => (response, request) =>
      request.message.acceptedResponseTypes.includes(1)
        ? void response.writeHead(500).end("not implemented\n")
        : answerWhole(bodyOf(held, "samples"), SAMPLES_TYPE)(response, request),
  },
  { title: "answers 429", code: "http-status", answer: status(429, "slow down\n", { "Retry-After": "1" }) },
  { title: "answers 404", code: "http-status", answer: status(404, "404 page not found\n") },
  {
    title: "answers 503 with all that it holds",
    code: "http-status",
    answer: (held, form) => (response) =>
      void response.writeHead(503, { "Content-Type": typeOf(form) }).end(bodyOf(held, form)),
  },
  ...[302, 307, 308].map((code): Fault => ({
    title: `answers ${code}, and all that it holds elsewhere`,
    code: "http-status",
    answer: (held, form) => (response, request) =>
      request.path.includes("?")
        ? wholeAnswer(held, form)(response, request)
        : void response.writeHead(code, { Location: `${request.path}?elsewhere` }).end(),
  })),
  { title: "answers 204", code: "content-type", answer: () => (response) => void response.writeHead(204).end() },
  { title: "answers a page", code: "content-type", answer: status(200, HTML, { "Content-Type": "text/html" }) },
  { title: "answers a page with 502", code: "http-status", answer: status(502, HTML, { "Content-Type": "text/html" }) },
  {
    title: "answers a page that says that it is remote read",
    code: { frames: "remote-error-text", samples: "snappy-corrupt" },
    answer: whole(() => fromText(HTML)),
  },
  {
    title: "answers JSON",
    code: "content-type",
    answer: status(200, '{"status":"success"}', { "Content-Type": "application/json" }),
  },
  {
    title: "answers in the other form than it says",
    code: { frames: "frame-truncated", samples: "snappy-corrupt" },
    answer: (held, form) => answerWhole(bodyOf(held, form === "frames" ? "samples" : "frames"), typeOf(form)),
  },
];

const CUTS: readonly Fault[] = [
  ...(["content-length", "chunked", "reset"] as const).flatMap((cut) =>
    [false, true].map((isBoundary): Fault => ({
      title: `is cut ${isBoundary ? "between two frames" : "in mid-frame"}: ${cut}`,
      code: "body-truncated",
      atLatest: "m3",
      answer: (held, form) => {
        const body = bodyOf(held, form);
        return answerCut(cut, body.subarray(0, cutAt(held, form, isBoundary)), body.length, typeOf(form));
      },
    })),
  ),
  {
    title: "ends cleanly in mid-frame",
    code: { frames: "frame-truncated", samples: "snappy-corrupt" },
    from: "m3",
    answer: (held, form) => answerWhole(bodyOf(held, form).subarray(0, cutAt(held, form)), typeOf(form)),
  },
  {
    title: "ends cleanly between two frames, which nobody can see",
    forms: ["frames"],
    sent: (held) => held.filter(isBeforeM5),
    answer: (held) => answerWhole(frames(held.filter(isBeforeM5))),
  },
  {
    title: "ends cleanly before the first frame, which nobody can see",
    forms: ["frames"],
    sent: () => [],
    answer: () => answerWhole(new Uint8Array(0)),
  },
  {
    title: "ends cleanly before the first byte",
    code: "snappy-corrupt",
    forms: ["samples"],
    answer: () => answerWhole(new Uint8Array(0), SAMPLES_TYPE),
  },
  {
    title: "ends with the connection in mid-frame",
    code: { frames: "frame-truncated", samples: "snappy-corrupt" },
    from: "m3",
    isUnverifiable: true,
    answer: (held, form) => (response) =>
      void bareHead(response, form).end(bodyOf(held, form).subarray(0, cutAt(held, form))),
  },
  {
    title: "ends with the connection between two frames, which nobody can see, but that it cannot be seen",
    forms: ["frames"],
    sent: (held) => held.filter(isBeforeM5),
    isUnverifiable: true,
    answer: (held, form) => (response) => void bareHead(response, form).end(frames(held.filter(isBeforeM5))),
  },
];

export const TRANSPORT_FAULTS: readonly Fault[] = [...SILENT, ...STATUSES, ...CUTS];

function status(
  code: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): NonNullable<Fault["answer"]> {
  return () => (response) => void response.writeHead(code, { "Content-Type": "text/plain", ...headers }).end(text);
}

/** Where a body is cut: in the middle of m5, or between it and m3; of samples somewhere. */
function cutAt(held: readonly HeldSeries[], form: Form, isBoundary = false): number {
  const body = bodyOf(held, form);
  const before = frames(held.filter(({ name }) => name < "m5")).length;
  return form === "samples" ? body.length >> 1 : before + (isBoundary ? 0 : 50);
}

function begin(response: ServerResponse, form: Form, bytes: Uint8Array): void {
  response.writeHead(200, { "Content-Type": typeOf(form) });
  response.flushHeaders();
  response.write(bytes);
}

/** Sends so many bytes every so often. */
function trickle(response: ServerResponse, body: Uint8Array, bytes: number, everyMs: number): void {
  let at = 0;
  const timer = setInterval(() => {
    response.write(body.subarray(at, at + bytes));
    at += bytes;
    if (at >= body.length) {
      clearInterval(timer);
      response.end();
    }
  }, everyMs);
  response.on("close", () => clearInterval(timer));
}

/** Begins an answer without a length and without chunks, which ends when the connection does. */
function bareHead(response: ServerResponse, form: Form): Socket {
  const socket = response.socket as Socket;
  socket.write(`HTTP/1.1 200 OK\r\nContent-Type: ${typeOf(form)}\r\nConnection: close\r\n\r\n`);
  return socket;
}
