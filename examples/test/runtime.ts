/** The programs that examples run under, where there are any. */
import { accessSync, constants } from "node:fs";
import path from "node:path";

/** The path of a program; of one that is not there undefined, with a line that says so. */
export function findCommand(name: "node" | "bun" | "deno" | "chromium"): string | undefined {
  if (name === "node") {
    return process.execPath;
  }
  const found = (process.env["PATH"] ?? "")
    .split(path.delimiter)
    .map((folder) => path.join(folder, name))
    .find((file) => isExecutable(file));
  if (found === undefined) {
    console.log(`there is no ${name} here: what runs under it is left out`);
  }
  return found;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
