import { readlinkSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bootId } from "../../../lib/process-identity.ts";
import { readText } from "../../../lib/written.ts";
import type { Layout } from "../layout.ts";
import { AF_NETLINK, closeSocket, openSocket, receiveNow, SOCK_RAW, sendNow } from "../syscalls.ts";

const NETLINK_NETFILTER = 12;
const NLM_F_REQUEST = 1;
/** Of the subsystem for nftables: get, and its answer. */
const GET_GENERATION = 0x0a10;
const NEW_GENERATION = 0x0a0f;
const ID = 1;

/** A number that changes with every change of the packet filter in this network namespace, whoever makes it. Costs some microseconds. */
export function filterGeneration(): number | null {
  const socket = openSocket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
  try {
    const question = Buffer.alloc(20); // a header, and the head of netfilter's messages: all zero
    question.writeUInt32LE(question.length, 0);
    question.writeUInt16LE(GET_GENERATION, 4);
    question.writeUInt16LE(NLM_F_REQUEST, 6);
    sendNow(socket, question);
    const answer = Buffer.alloc(1024);
    const length = receiveNow(socket, answer);
    if (answer.readUInt16LE(4) !== NEW_GENERATION) return null;
    for (let at = 20; at + 8 <= length; at += Math.max(4, (answer.readUInt16LE(at) + 3) & ~3))
      if (answer.readUInt16LE(at + 2) === ID) return answer.readUInt32BE(at + 4);
    return null;
  } finally {
    closeSocket(socket);
  }
}

/** Notes that the rules are as they shall be at this generation; `null`: nobody knows. Call it under the world's wiring lock. */
export function noteGeneration(layout: Layout, generation: number | null): void {
  if (generation === null) rmSync(noteFile(layout), { force: true });
  else writeFileSync(noteFile(layout), noteOf(generation), { mode: 0o600 });
}

/** Whether nobody has changed the packet filter since the rules were seen to be as they shall be. */
export function isAsNoted(layout: Layout): boolean {
  const generation = filterGeneration();
  return generation !== null && readText(noteFile(layout)) === noteOf(generation);
}

/** Each network namespace counts for itself, and each boot anew. */
const noteOf = (generation: number): string => `${bootId()} ${readlinkSync("/proc/self/ns/net")} ${generation}\n`;

const noteFile = (layout: Layout): string => join(layout.run, "filter-generation");
