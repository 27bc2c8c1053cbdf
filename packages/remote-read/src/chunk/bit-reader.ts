/**
 * Reads a chunk bit by bit, the highest bit of each byte first, and checks every read. Simple and slow: for chunks that are
 * out of the ordinary, and for saying what is wrong with one.
 */
import { RemoteReadError } from "../remote-read-error.ts";

export class BitReader {
  readonly #data: Uint8Array;
  readonly #count: number;
  #position: number;
  /** The row that is being read, for the message where the data end in it. */
  row = 0;

  /** Reads `data` from byte `start` on; `count` is the number of rows that its header claims. */
  constructor(data: Uint8Array, start: number, count: number) {
    this.#data = data;
    this.#count = count;
    this.#position = start * 8;
  }

  /** The next `count` bits (at most 32) as an unsigned number. */
  readBits(count: number): number {
    let bits = 0;
    for (let left = count; left > 0;) {
      const byte = this.#data[this.#position >>> 3];
      if (byte === undefined) {
        throw this.malformed(`the chunk's ${this.#data.length} bytes end there, its header claims ${this.#count} rows`);
      }
      const below = 8 - (this.#position & 7);
      const taken = Math.min(below, left);
      bits = bits * 2 ** taken + ((byte >>> (below - taken)) & (2 ** taken - 1));
      this.#position += taken;
      left -= taken;
    }
    return bits;
  }

  /** The next 64 bits as a signed number. */
  readInt64(): bigint {
    const high = this.readBits(32);
    return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(this.readBits(32)));
  }

  /** A varint of at most 64 bits, in whole groups of 8 bits from here on. */
  readUvarint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.readBits(8);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) {
        if (value >= 2n ** 64n) {
          break;
        }
        return value;
      }
    }
    throw this.malformed("its varint is longer than 64 bits");
  }

  /** The error for what is wrong in the row that is being read. */
  malformed(problem: string): RemoteReadError {
    return new RemoteReadError("chunk-malformed", `row ${this.row}: ${problem}`);
  }
}
