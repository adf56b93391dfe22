/** One look at a container: a program inside it, or a request from outside. */

import { spawn } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { stopwatch } from "../../../lib/clock.ts";
import { execProcess, execWords } from "../bundle.ts";
import { type Context, runtimeOf } from "../context.ts";
import type { HealthPlan } from "../health.ts";
import { bundleDirectory, rootfsDirectory } from "../layout.ts";
import { endpointsOf } from "../network/endpoints.ts";
import { placeOf } from "../network/namespace.ts";
import { allNetworks } from "../network/networks.ts";
import { readIfThere } from "../processes.ts";
import type { ContainerRecord } from "../records.ts";
import { ociJson } from "../resources.ts";
import { bundleFile, killIfThere } from "../runtime.ts";

/** What came of it; `status` 0 is well, -1 that it took too long or could not be made. */
export interface Verdict {
  readonly status: number;
  readonly output: string;
}

/** Bytes of output that are kept, as Docker does. */
const OUTPUT_LIMIT = 4096;

/** Never throws for what the container does. */
export async function probe(context: Context, record: ContainerRecord, plan: HealthPlan): Promise<Verdict> {
  try {
    const { test, timeoutMs } = plan;
    return test.kind === "command"
      ? await runInside(context, record, { argv: test.argv, timeoutMs })
      : await ask(addressOf(context, record), test, timeoutMs);
  } catch (error) {
    return { status: -1, output: error instanceof Error ? error.message : String(error) };
  }
}

async function runInside(
  context: Context,
  record: ContainerRecord,
  { argv, timeoutMs }: { readonly argv: readonly string[]; readonly timeoutMs: number },
): Promise<Verdict> {
  const { layout } = context;
  const options = { argv, env: {}, tty: false, stdin: false, detach: false, user: null, workingDir: null, privileged: false };
  const [file, pidFile] = [bundleFile(layout, record.id, "probe.json"), bundleFile(layout, record.id, "probe.pid")];
  await writeFile(file, ociJson(execProcess(context, record, { options, rootfs: rootfsDirectory(layout, record.id) })), {
    mode: 0o600,
  });
  await rm(pidFile, { force: true });
  const words = execWords(layout, record.id, { file, flags: ["--pid-file", pidFile] });
  const child = spawn(runtimeOf(context, record).path, words, {
    cwd: bundleDirectory(layout, record.id),
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", GOGC: "off" }, // as for containers: gone before it has garbage
  });
  const output = new Output();
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => output.add(chunk));
  return new Promise((resolve, reject) => {
    const began = stopwatch();
    let late = false;
    let clock = setTimeout(expire, timeoutMs);
    function expire(): void {
      const pid = Number(readIfThere(pidFile));
      // The time that the runtime takes to begin it does not count, within reason.
      if (!(pid > 1) && stopwatch() - began < BEGIN_LIMIT_MS) {
        clock = setTimeout(expire, timeoutMs);
        return;
      }
      late = true;
      // The runtime leads no group that it could end: the probe's own first process does, with all that it started.
      if (pid > 1) killIfThere(-pid);
      else child.kill("SIGKILL");
      child.stdout.destroy(); // who left the group may hold them
      child.stderr.destroy();
    }
    child.once("error", (error) => {
      clearTimeout(clock);
      reject(error);
    });
    child.once("close", (code) => {
      clearTimeout(clock);
      resolve(late ? tooLong(timeoutMs, output.text) : { status: code ?? -1, output: output.text });
    });
  });
}

/** How long the runtime may take to begin a probe, in milliseconds. */
const BEGIN_LIMIT_MS = 30_000;

/** Where a container is reached from here. Throws where it is not. */
function addressOf({ layout }: Context, record: ContainerRecord): string {
  const place = placeOf(layout, record);
  if (place.kind === "host") return "127.0.0.1";
  const [first] = endpointsOf(place.kind === "shared" ? place.with : record, allNetworks(layout));
  const address = first?.address ?? first?.address6 ?? null;
  if (address === null) throw new Error("it has no address to be asked at: use a healthcheck that runs inside it");
  return address;
}

type Outside = Exclude<HealthPlan["test"], { readonly kind: "command" }>;

async function ask(address: string, test: Outside, timeoutMs: number): Promise<Verdict> {
  const socket = await open(address, test);
  return new Promise((resolve) => {
    const output = new Output();
    const end = (verdict: Verdict): void => {
      clearTimeout(clock);
      socket.destroy();
      resolve(verdict);
    };
    const clock = setTimeout(() => end(tooLong(timeoutMs, output.text)), timeoutMs);
    socket.once("error", (error: NodeJS.ErrnoException) => end({ status: 1, output: error.message }));
    socket.once(test.kind === "http" && test.scheme === "https" ? "secureConnect" : "connect", () => {
      if (test.kind === "tcp") end({ status: 0, output: "" });
      else socket.write(requestText(address, test), "latin1");
    });
    socket.on("data", (chunk: Buffer) => {
      output.add(chunk);
      const verdict = answerOf(output.text);
      if (verdict !== null) end(verdict);
    });
    socket.once("end", () => end(answerOf(`${output.text}\r\n`) ?? { status: 1, output: "the connection was closed without an answer" }));
  });
}

async function open(host: string, test: Outside): Promise<Socket> {
  if (test.kind === "http" && test.scheme === "https") {
    const { connect } = await import("node:tls");
    return connect({ host, port: test.port, rejectUnauthorized: false });
  }
  const { connect } = await import("node:net");
  return connect({ host, port: test.port });
}

function requestText(address: string, { port, path, headers }: Extract<Outside, { readonly kind: "http" }>): string {
  const all = {
    Host: `${address.includes(":") ? `[${address}]` : address}:${port}`,
    "User-Agent": "wharf-health",
    Accept: "*/*",
    Connection: "close",
    ...headers,
  };
  const clean = (text: string): string => text.replace(/[\r\n]/g, "");
  return `GET ${path} HTTP/1.1\r\n${Object.entries(all)
    .map(([name, value]) => `${clean(name)}: ${clean(value)}\r\n`)
    .join("")}\r\n`;
}

/** The first line of an answer says it all; `null` while it is not there. */
export function answerOf(text: string): Verdict | null {
  const end = text.indexOf("\r\n");
  if (end < 0) return text.length < OUTPUT_LIMIT ? null : { status: 1, output: "the answer is no HTTP" };
  const line = text.slice(0, end);
  const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(line)?.[1]);
  if (Number.isNaN(status)) return { status: 1, output: `the answer is no HTTP: ${JSON.stringify(line.slice(0, 100))}` };
  return { status: status >= 200 && status < 400 ? 0 : 1, output: line };
}

const tooLong = (timeoutMs: number, output: string): Verdict => ({
  status: -1,
  output: `no answer within ${timeoutMs / 1000} s${output === "" ? "" : `: ${output}`}`,
});

/** The beginning of what is printed. */
class Output {
  #buffer = Buffer.alloc(0);
  #cut = false;

  add(chunk: Buffer): void {
    const room = OUTPUT_LIMIT - this.#buffer.length;
    if (chunk.length > room) this.#cut = true;
    if (room > 0) this.#buffer = Buffer.concat([this.#buffer, chunk.subarray(0, room)]);
  }

  get text(): string {
    return this.#buffer.toString() + (this.#cut ? "..." : "");
  }
}
