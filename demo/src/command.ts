/** How a command of this folder reads its options, and how it ends where something is wrong: told, not thrown. */
import { parseArgs, type ParseArgsConfig } from "node:util";
import { wrapText } from "./format.ts";
import { Problem } from "./problem.ts";
import { SCREEN_WIDTH } from "./report.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;
type Values<T extends Options> = ReturnType<typeof parseArgs<{ options: T; strict: true }>>["values"];

/** Where text goes: a stream of the process, or what a test gives. */
export interface Output {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

/** What a command knows of the process that it runs in. */
export interface Surroundings {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Runs a command and gives its exit code. A Problem is written to stderr, and the code is 1; every other error is a mistake
 * of ours and is thrown.
 *
 * @param name What stands before messages.
 */
export async function runCommand(name: string, stderr: Output, run: () => Promise<void>): Promise<number> {
  try {
    await run();
    return 0;
  } catch (error) {
    if (!(error instanceof Problem)) {
      throw error;
    }
    stderr.write(`${formatMessage(name, error.message)}\n`);
    return 1;
  }
}

/** Each line of the message after the name, in lines of at most 80 characters; those that are indented stay as they are. */
export function formatMessage(name: string, message: string): string {
  return message
    .split("\n")
    .flatMap((line) => (line.startsWith(" ") ? [line] : wrapText(`${name}: ${line}`, SCREEN_WIDTH, "  ")))
    .join("\n");
}

/** @throws Problem for an option that there is not, one without its value, and words that belong to none. */
export function parseOptions<T extends Options>(words: readonly string[], options: T): Values<T> {
  try {
    return parseArgs({ args: [...words], options, strict: true }).values;
  } catch (error) {
    throw new Problem(tellMistake(error), { cause: error });
  }
}

function tellMistake(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const named = /'(?:-\w, )?(-[^' ]*)/u.exec(message)?.[1] ?? "an option";
  if (code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") {
    return `there is no option ${named}: --help shows those that there are`;
  }
  if (code === "ERR_PARSE_ARGS_INVALID_OPTION_VALUE") {
    return `${named} has no value, or one too many: --help shows how it is written`;
  }
  const word = /'([^']*)'/u.exec(message)?.[1] ?? "a word";
  return `${JSON.stringify(word)} belongs to no option: npm wants -- before options, as in npm run demo -- --replica URL`;
}
