/** What we use of snappyjs 0.7.0, which has no declarations of its own. */
declare module "snappyjs" {
  interface Snappyjs {
    readonly uncompress: (block: Uint8Array) => Uint8Array;
    readonly compress: (bytes: Uint8Array) => Uint8Array;
  }
  const snappyjs: Snappyjs;
  export default snappyjs;
}
