/** Another machine on the wire: a network namespace joined with this one by a pair of interfaces, made for one test. */
import { execFileSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { writeDiary } from "./diary.ts";

export interface Outside {
  /** This machine's address on the wire, and the other one's. */
  readonly host: string;
  readonly address: string;
  readonly host6: string;
  readonly address6: string;
  /** The words before a command that make it run over there. */
  readonly prefix: readonly string[];
  /** Runs a command over there to its end; gives its output and status, 124 when it takes longer than five seconds. */
  run(argv: readonly string[]): { readonly status: number; readonly stdout: string };
}

/**
 * Gives a body another machine, joined with this one or with the one that a prefix of words runs commands on. Its addresses are of the range for
 * benchmarks, which nobody routes.
 */
export async function withOutside<T>(body: (outside: Outside) => Promise<T>, here: readonly string[] = []): Promise<T> {
  const tag = randomInt(0x1000, 0x10000).toString(16).padStart(4, "0");
  const space = `wharf-out-${tag}`;
  const link = `who${tag}`;
  const net = `198.18.${Number.parseInt(tag.slice(0, 2), 16)}`;
  const base = Number.parseInt(tag.slice(2), 16) & 0xfc;
  const [host, address] = [`${net}.${base + 1}`, `${net}.${base + 2}`];
  const [host6, address6] = [`fd18:${tag}::1`, `fd18:${tag}::2`];
  const ip = (words: string): void => {
    const [command = "", ...argv] = [...here, "ip", ...words.split(" ")];
    execFileSync(command, argv, { stdio: "ignore" });
  };
  writeDiary(["space", space]);
  ip(`netns add ${space}`);
  try {
    ip(`link add ${link} type veth peer name eth0 netns ${space}`);
    ip(`addr add ${host}/30 dev ${link}`);
    ip(`-6 addr add ${host6}/64 dev ${link} nodad`);
    ip(`link set ${link} up`);
    ip(`-n ${space} link set lo up`);
    ip(`-n ${space} addr add ${address}/30 dev eth0`);
    ip(`-n ${space} -6 addr add ${address6}/64 dev eth0 nodad`);
    ip(`-n ${space} link set eth0 up`);
    ip(`-n ${space} route add default via ${host}`);
    ip(`-n ${space} -6 route add default via ${host6}`);
    const prefix = [...here, "ip", "netns", "exec", space];
    return await body({
      host,
      address,
      host6,
      address6,
      prefix,
      run: (argv) => {
        try {
          const stdout = execFileSync("timeout", ["5", ...prefix, ...argv], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
          return { status: 0, stdout };
        } catch (error) {
          const { status, stdout } = error as { status: number | null; stdout: string };
          return { status: status ?? 1, stdout };
        }
      },
    });
  } finally {
    ip(`netns delete ${space}`); // the pair goes with it
    writeDiary(["gone", space]);
  }
}
