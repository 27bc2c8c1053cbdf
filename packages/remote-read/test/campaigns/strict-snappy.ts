/**
 * A decoder of snappy blocks that is nothing but the text of the format, format_description.txt of google/snappy 1.2, read
 * byte by byte: slow, strict, and without anything of `src` in it.
 */

/** What a block decodes to; undefined where the format does not allow it. */
export function uncompressStrictly(block: Uint8Array): Uint8Array | undefined {
  try {
    return new StrictDecoder(block).decode();
  } catch (error) {
    if (error instanceof NotSnappy) {
      return undefined;
    }
    throw error;
  }
}

class NotSnappy extends Error {}

class StrictDecoder {
  readonly #block: Uint8Array;
  #at = 0;
  #output = new Uint8Array(256);
  #produced = 0;

  constructor(block: Uint8Array) {
    this.#block = block;
  }

  decode(): Uint8Array {
    const length = this.#readLength();
    while (this.#at < this.#block.length) {
      this.#decodeElement();
    }
    this.#demand(this.#produced === length);
    return this.#output.subarray(0, this.#produced);
  }

  /** "The stream starts with the uncompressed length (up to a maximum of 2^32 - 1), stored as a little-endian varint." */
  #readLength(): number {
    let length = 0;
    let worth = 1;
    // 32 bits are at most five bytes of seven.
    for (let count = 1; count <= 5; count++) {
      const byte = this.#readByte();
      length += (byte % 128) * worth;
      worth *= 128;
      if (byte < 128) {
        this.#demand(length < 4_294_967_296);
        return length;
      }
    }
    throw new NotSnappy();
  }

  #decodeElement(): void {
    const tag = this.#readByte();
    const upper = Math.floor(tag / 4);
    switch (tag % 4) {
      case 0:
        // "For literals up to and including 60 bytes in length, the upper six bits of the tag byte contain (len-1)." Values
        // 60 … 63 say that (len-1) is in the next one to four bytes.
        this.#copyLiteral(1 + (upper < 60 ? upper : this.#readNumber(upper - 59)));
        break;
      case 1:
        // "len-4" in bits [2..4], the eleven bits of the offset in [5..7] and in the next byte.
        this.#copyBack(4 + (upper % 8), Math.floor(tag / 32) * 256 + this.#readByte());
        break;
      case 2:
        this.#copyBack(1 + upper, this.#readNumber(2));
        break;
      default:
        this.#copyBack(1 + upper, this.#readNumber(4));
    }
  }

  #copyLiteral(length: number): void {
    this.#demand(length <= this.#block.length - this.#at);
    for (let left = length; left > 0; left--) {
      this.#produce(this.#readByte());
    }
  }

  /** "The copy might extend past the end of what has been decoded": it repeats then. */
  #copyBack(length: number, offset: number): void {
    this.#demand(offset >= 1 && offset <= this.#produced);
    for (let left = length; left > 0; left--) {
      this.#produce(this.#output[this.#produced - offset]!);
    }
  }

  #readNumber(bytes: number): number {
    let value = 0;
    for (let index = 0, worth = 1; index < bytes; index++, worth *= 256) {
      value += this.#readByte() * worth;
    }
    return value;
  }

  #readByte(): number {
    this.#demand(this.#at < this.#block.length);
    return this.#block[this.#at++]!;
  }

  #produce(byte: number): void {
    if (this.#produced === this.#output.length) {
      const output = new Uint8Array(2 * this.#produced);
      output.set(this.#output);
      this.#output = output;
    }
    this.#output[this.#produced++] = byte;
  }

  #demand(isRight: boolean): void {
    if (!isRight) {
      throw new NotSnappy();
    }
  }
}
