/** `npm run serve`: the spliced replicas, served at /api/v1/read until interrupted. */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { readHandler, RemoteReadError, type ReadReport } from "@promsplice/remote-read";
import { parseOptions, runCommand } from "./command.ts";
import { endServer, listen } from "./listen.ts";
import { breakQuietly } from "./quiet-body.ts";
import {
  openReplicas,
  readReplicaLabels,
  type Replica,
  REPLICA_HELP,
  REPLICA_OPTIONS,
  spliceReaders,
} from "./replicas.ts";
import { type Choice, readChoice, STRATEGY_HELP, STRATEGY_OPTIONS } from "./strategies.ts";
import { tellFailure } from "./tell-failure.ts";

const PATH = "/api/v1/read";
/** npm's shell, or whatever started us. */
const PARENT = process.ppid;
/** How often we look whether it is still there. */
const LOOK_MS = 500;

const OPTIONS = {
  ...REPLICA_OPTIONS,
  ...STRATEGY_OPTIONS,
  listen: { type: "string", default: ":9201" },
  help: { type: "boolean", short: "h" },
} as const;

const HELP = [
  "npm run serve -- --replica URL --replica URL",
  "  serves the spliced replicas by remote read until interrupted",
  "",
  ...REPLICA_HELP,
  ...STRATEGY_HELP,
  "  --listen HOST:PORT         default: :9201, on all addresses of this machine",
];

process.exitCode = await runCommand("serve", process.stderr, async () => {
  const values = parseOptions(process.argv.slice(2), OPTIONS);
  if (values.help === true) {
    process.stdout.write(`${HELP.join("\n")}\n`);
    return;
  }
  const choice = readChoice(values);
  const replicas = openReplicas(values, process.env);
  const reader = spliceReaders(
    replicas.map((replica) => replica.reader),
    choice,
    { replicaLabels: readReplicaLabels(values) },
  );
  const handle = readHandler(reader, {
    onReport: (report) => logLeftOut(report, replicas),
    onError: logError,
  });
  const { server, host } = await listen(values.listen, async (request, { outgoing }) =>
    new URL(request.url).pathname === PATH
      ? breakQuietly(await handle(request), outgoing)
      : new Response(`not found: remote read is at ${PATH}\n`, { status: 404 }),
  );
  process.stdout.write(`${describeService(host, replicas, choice).join("\n")}\n`);
  const isUnderNpm = process.env["npm_lifecycle_event"] !== undefined;
  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM"), ...(isUnderNpm ? [whenLeftAlone()] : [])]);
  await endServer(server);
  process.stdout.write("serve: stopped\n");
});

/** A signal to npm ends npm's shell, which does not hand it on: to be left alone by it means the same. */
async function whenLeftAlone(): Promise<void> {
  do {
    await sleep(LOOK_MS, undefined, { ref: false });
  } while (process.ppid === PARENT);
}

function describeService(host: string, replicas: readonly Replica[], choice: Choice): string[] {
  const interval = choice.intervalMs === undefined ? "" : ` (interval ${choice.intervalMs / 1000} s)`;
  return [
    `serve: listening at http://${host}${PATH}, splicing by ${choice.name}${interval}`,
    ...replicas.map(({ name }) => `  ${name}`),
    "A Prometheus reads from it with these lines in its configuration:",
    "",
    "remote_read:",
    `  - url: http://${host}${PATH}`,
    "    read_recent: true",
    "    filter_external_labels: false",
    "    remote_timeout: 2m",
    "",
  ];
}

/** A line where an answer has to do without replicas, or without any; one that the client left early is none. */
function logLeftOut({ replicas: reports }: ReadReport, replicas: readonly Replica[]): void {
  const failed = reports.flatMap(({ error, leftOutFrom }, index) => {
    if (error === undefined || (error instanceof RemoteReadError && error.code === "aborted")) {
      return [];
    }
    const since = leftOutFrom === undefined ? "" : ` from ${leftOutFrom} on`;
    return [`${replicas[index]!.name}${since}: ${tellFailure(error, replicas[index]!)}`];
  });
  if (failed.length > 0) {
    const outcome = failed.length < reports.length ? "partial answer, without" : "failed, no replica left:";
    log(`${outcome} ${failed.join(" ")}`);
  }
}

function logError(error: unknown, { partial }: { readonly partial: boolean }): void {
  if (error instanceof RemoteReadError && error.code === "all-replicas-failed") {
    // Told above, with what each replica said.
    return;
  }
  const message = error instanceof Error ? error.message : String(error);
  log(`${partial ? "broken off in the middle" : "failed"}: ${message}`);
}

function log(message: string): void {
  process.stderr.write(`${new Date().toISOString()} ${message.replaceAll(/\s+/gu, " ")}\n`);
}
