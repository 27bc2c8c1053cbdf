/** A client over a connection of its own, that sends what it likes and stops where it likes. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** The head of a POST to remote read with a body of so many bytes. */
export function requestHead(bodyBytes: number): Uint8Array {
  return Buffer.from(
    `POST /api/v1/read HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-protobuf\r\nContent-Encoding: snappy\r\nContent-Length: ${bodyBytes}\r\n\r\n`,
  );
}

/** A whole request. */
export function wholeRequest(body: Uint8Array): Uint8Array {
  return Buffer.concat([requestHead(body.length), body]);
}

/** `HTTP/1.1 200`. */
const STATUS_LINE_CHARACTERS = 12;
/** The end of an answer whose length is not told beforehand. */
const LAST_CHUNK = "\r\n0\r\n\r\n";

export class ClientSocket {
  readonly socket: Socket;
  /** Bytes of the answer so far, its head included. */
  bytes: number = 0;
  /** The beginning of the answer. */
  #head: string = "";
  /** The last bytes of the answer so far. */
  #tail: string = "";
  /** Resolves when the connection is closed, whoever closed it. */
  readonly closed: Promise<void>;

  constructor(port: number) {
    this.socket = connect({ host: "127.0.0.1", port });
    this.socket.on("error", () => undefined);
    this.socket.on("data", (piece) => {
      this.bytes += piece.length;
      this.#head = (this.#head + piece.toString("latin1", 0, STATUS_LINE_CHARACTERS)).slice(0, STATUS_LINE_CHARACTERS);
      this.#tail = (this.#tail + piece.toString("latin1", piece.length - LAST_CHUNK.length)).slice(-LAST_CHUNK.length);
    });
    this.closed = new Promise((resolve) => {
      this.socket.on("close", () => resolve());
    });
  }

  /** The status of the answer, 0 while there is none. */
  get status(): number {
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(this.#head)?.[1] ?? 0);
  }

  /** Waits until there is a connection. */
  async connect(): Promise<void> {
    await once(this.socket, "connect");
  }

  /** Sends these bytes; resolves when the system has them, or the connection is closed. */
  async send(bytes: Uint8Array): Promise<void> {
    await Promise.race([new Promise<void>((resolve) => void this.socket.write(bytes, () => resolve())), this.closed]);
  }

  /** Reads on until so many bytes have come, or the connection is closed. */
  async readUntil(bytes: number): Promise<void> {
    while (this.bytes < bytes && !this.socket.closed) {
      await Promise.race([once(this.socket, "data"), this.closed]);
    }
  }

  /** Reads on until the answer is whole, or the connection is closed. */
  async readWhole(): Promise<void> {
    while (this.#tail !== LAST_CHUNK && !this.socket.closed) {
      await Promise.race([once(this.socket, "data"), this.closed]);
    }
  }

  /** Reads nothing any more; what the system takes for the client is then all that it takes. */
  stall(): void {
    this.socket.pause();
  }
}
