/** Something that whoever runs a command can mend: shown in plain words, without a stack, and the exit code is 1. */
export class Problem extends Error {
  override readonly name = "Problem";
}
