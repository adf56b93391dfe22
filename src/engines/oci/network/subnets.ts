import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { BITS, parseAddress, type Subnet } from "../../../lib/address.ts";

/** Subnets that this machine already routes or has an address of: nothing new may lie in them. Default routes do not count. */
export function usedSubnets(): readonly Subnet[] {
  const own = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .flatMap(({ address }) => parseAddress(address.split("%")[0] ?? "") ?? [])
    .map(({ family, value }): Subnet => ({ family, first: value, prefix: BITS[family] }));
  return [...routes4(readFileSync("/proc/net/route", "latin1")), ...routes6(readTable("/proc/net/ipv6_route")), ...own];
}

/** Routes of `/proc/net/route`: numbers are hex of the bytes in memory order. */
function routes4(table: string): readonly Subnet[] {
  return table
    .split("\n")
    .slice(1)
    .map((line) => line.split("\t"))
    .flatMap(([, destination, , , , , , mask]): readonly Subnet[] => {
      if (destination === undefined || mask === undefined) return [];
      const prefix = fromKernel(mask).toString(2).replaceAll("0", "").length;
      return prefix === 0 ? [] : [{ family: 4, first: BigInt(fromKernel(destination)), prefix }];
    });
}

/** Routes of `/proc/net/ipv6_route`, but for those to links (fe80) and groups (ff00). */
function routes6(table: string): readonly Subnet[] {
  return table.split("\n").flatMap((line): readonly Subnet[] => {
    const [destination = "", bits = "0"] = line.split(" ");
    const prefix = Number.parseInt(bits, 16);
    return destination === "" || prefix === 0 || /^f[ef]/.test(destination)
      ? []
      : [{ family: 6, first: BigInt(`0x${destination}`), prefix }];
  });
}

function readTable(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return ""; // no IPv6
    throw error;
  }
}

function fromKernel(hex: string): number {
  const bytes = Buffer.from(hex, "hex").reverse();
  return bytes.length === 4 ? bytes.readUInt32BE(0) : 0;
}
