import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";

export interface Range {
  /** First and last address, as numbers. */
  readonly first: number;
  readonly last: number;
}

/** Address ranges that this machine already routes or has: nothing new may lie in them. The default route does not count. */
export function usedRanges(): Range[] {
  const routes = readFileSync("/proc/net/route", "latin1")
    .split("\n")
    .slice(1)
    .map((line) => line.split("\t"))
    .flatMap(([, destination, , , , , , mask]) =>
      destination === undefined || mask === undefined ? [] : [{ first: fromKernel(destination), mask: fromKernel(mask) }],
    )
    .filter(({ mask }) => mask !== 0)
    .map(({ first, mask }) => ({ first, last: first + (0xffffffff - mask) }));
  const own = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family }) => family === "IPv4")
    .map(({ address }) => ({ first: parseIpv4(address), last: parseIpv4(address) }));
  return [...routes, ...own];
}

/** A dotted address as a number. Only for addresses that were checked or that we made. */
export function parseIpv4(address: string): number {
  return address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

/** The kernel prints addresses as hex of the bytes in memory order. */
function fromKernel(hex: string): number {
  const bytes = Buffer.from(hex, "hex").reverse();
  return bytes.length === 4 ? bytes.readUInt32BE(0) : 0;
}
