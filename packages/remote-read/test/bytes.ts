/** Bytes and bits, as tests write and compare them. */

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ""), "hex"));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}

export function fromText(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function concatenate(...pieces: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(pieces));
}

/** The bits of a column of values, sixteen hexadecimal digits a row. */
export function bitsOf(values: Float64Array): string[] {
  const words = new BigUint64Array(values.buffer, values.byteOffset, values.length);
  return Array.from(words, (word) => word.toString(16).padStart(16, "0"));
}

/** A column of values with these bits. */
export function fromBits(bits: readonly string[]): Float64Array {
  return new Float64Array(BigUint64Array.from(bits, (word) => BigInt(`0x${word}`)).buffer);
}

/** The CRC-32C as its definition says it, bit by bit. */
export function naiveCrc32c(bytes: Uint8Array): number {
  let state = 0xffffffff;
  for (const byte of bytes) {
    state ^= byte;
    for (let bit = 0; bit < 8; bit++) {
      state = (state >>> 1) ^ ((state & 1) === 1 ? 0x82f63b78 : 0);
    }
  }
  return (state ^ 0xffffffff) >>> 0;
}

/** A number as a varint; negative ones in ten bytes. */
export function varint(value: bigint | number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) {
    bytes.push(Number(rest & 127n) | 128);
  }
  return Uint8Array.of(...bytes, Number(rest));
}

/** A frame around a payload, made step by step. */
export function frameOf(payload: Uint8Array): Uint8Array {
  const crc = new Uint8Array(4);
  new DataView(crc.buffer).setUint32(0, naiveCrc32c(payload));
  return concatenate(varint(payload.length), crc, payload);
}

/** A field of a message that holds bytes. */
export function field(number: number, bytes: Uint8Array): Uint8Array {
  return concatenate(varint((number << 3) | 2), varint(bytes.length), bytes);
}
