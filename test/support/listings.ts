/** What the command's listings say, parsed. */
import type { Json } from "../../src/model/json.ts";
import type { CallOptions, World } from "./world.ts";

/** A line of `ps --format json`: the keys that tests look at. */
export interface Listed {
  readonly ID: string;
  readonly Name: string;
  readonly Image: string;
  readonly Project: string;
  readonly Service: string;
  readonly State: string;
  readonly Status: string;
  readonly Health: string;
  readonly ExitCode: number;
  readonly CreatedAt: string;
}

/** The keys of a container's inspect document that tests look at. */
export interface Inspected {
  readonly Id: string;
  readonly HostConfig: Readonly<Record<string, Json>>;
  readonly State: {
    readonly Status: string;
    readonly StartedAt: string;
    readonly FinishedAt: string;
    readonly Pid: number;
    readonly ExitCode: number;
    readonly Error: string;
    readonly Health?: {
      readonly Status: string;
      readonly Log: readonly { readonly ExitCode: number; readonly Output: string; readonly End: string }[];
    };
  };
  readonly RestartCount: number;
  readonly Config: { readonly Env: readonly string[]; readonly Cmd: readonly string[] };
  readonly Mounts: readonly { readonly Type: string; readonly Name?: string; readonly Source: string; readonly Destination: string }[];
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, InspectedNetwork>> };
}

export interface InspectedNetwork {
  readonly IPAddress: string;
  readonly Gateway: string;
  readonly GlobalIPv6Address: string;
  readonly GlobalIPv6PrefixLen: number;
  readonly IPAMConfig: { readonly IPv4Address?: string } | null;
}

export async function ps(world: World, args: readonly string[], options: CallOptions): Promise<readonly Listed[]> {
  const text = await world.ok(["ps", "--format", "json", ...args], options);
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line): Listed => JSON.parse(line));
}

export async function inspect(world: World, name: string): Promise<Inspected> {
  const [document]: Inspected[] = JSON.parse(await world.ok(["inspect", name]));
  if (document === undefined) throw new Error(`inspect ${name} gave nothing`);
  return document;
}
