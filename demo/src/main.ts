/** Starts the demo. */
import { runDemo } from "./demo.ts";

const { stdout, stderr, env: environment } = process;
process.exitCode = await runDemo(process.argv.slice(2), { stdout, stderr, environment });
