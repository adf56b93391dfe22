/**
 * DNS messages (RFC 1035, EDNS of RFC 6891), as far as a resolver for containers needs them: one question is read, answers about own names are
 * written. What is forwarded passes as bytes and is never taken apart, so records of strangers are nothing that could be read wrongly here.
 */

export const TYPE_A = 1;
export const TYPE_PTR = 12;
export const TYPE_AAAA = 28;
const TYPE_OPT = 41;
export const CLASS_IN = 1;

export const NO_ERROR = 0;
export const FORMAT_ERROR = 1;
export const SERVER_FAILURE = 2;
export const NO_SUCH_NAME = 3;
export const NOT_IMPLEMENTED = 4;
export const REFUSED = 5;

const HEADER = 12;
/** Bytes of a datagram that every client takes, and those that pass any network unbroken. */
const PLAIN_SIZE = 512;
const LARGEST_DATAGRAM = 1232;
/** Longest name on the wire. */
const LONGEST_NAME = 255;
/** A query has one extra record or two (EDNS, a signature): what has more is not looked through. */
const MOST_EXTRA = 16;

const RESPONSE = 0x8000;
const OPCODE = 0x7800;
const AUTHORITATIVE = 0x0400;
const TRUNCATED = 0x0200;
/** Recursion desired, checking disabled: repeated in the answer. */
const REPEATED = 0x0110;
const RECURSION_AVAILABLE = 0x0080;
const POINTER = 0xc0;
const FIRST_NAME = 0xc000 | HEADER;

export interface Query {
  readonly id: number;
  readonly flags: number;
  /** In lower case, labels joined by dots; `null` where a label has a dot in it or a byte that is no letter, digit or sign of a name. */
  readonly name: string | null;
  readonly type: number;
  readonly class: number;
  /** Name, type and class as they were asked, the letters' case too: the answer repeats them. */
  readonly question: Buffer;
  /** Most bytes that the client takes in one datagram. */
  readonly datagram: number;
  readonly edns: boolean;
}

/** One answer to the name that was asked for. */
export interface Answer {
  readonly type: number;
  readonly data: Buffer;
}

/** What a client asks. A number: the code that such a message is answered with; `null`: it is no query, and no answer is due. */
export function parseQuery(message: Buffer): Query | number | null {
  if (message.length < HEADER) return null;
  const flags = message.readUInt16BE(2);
  if ((flags & RESPONSE) !== 0) return null;
  if ((flags & OPCODE) !== 0) return NOT_IMPLEMENTED;
  if (message.readUInt16BE(4) !== 1) return FORMAT_ERROR;
  const end = nameEnd(message, HEADER, { pointers: false });
  if (end === null || end + 4 > message.length) return FORMAT_ERROR;
  const edns = findEdns(message, end + 4);
  if (edns === "broken") return FORMAT_ERROR;
  return {
    id: message.readUInt16BE(0),
    flags,
    name: readName(message),
    type: message.readUInt16BE(end),
    class: message.readUInt16BE(end + 2),
    question: message.subarray(HEADER, end + 4),
    datagram: Math.min(Math.max(edns ?? PLAIN_SIZE, PLAIN_SIZE), LARGEST_DATAGRAM),
    edns: edns !== null,
  };
}

/** The answer to a query. Records that do not fit into `limit` bytes are left out, and the answer says that there are more. */
export function reply(
  query: Query,
  result: { readonly code: number; readonly ttl: number; readonly answers: readonly Answer[]; readonly limit: number },
): Buffer {
  const room = result.limit - (query.edns ? EDNS.length : 0);
  const records: Buffer[] = [];
  let length = HEADER + query.question.length;
  for (const { type, data } of result.answers) {
    if (length + RECORD_HEAD + data.length > room) break;
    records.push(recordHead(type, { ttl: result.ttl, length: data.length }), data);
    length += RECORD_HEAD + data.length;
  }
  const complete = records.length === 2 * result.answers.length;
  const head = Buffer.alloc(HEADER);
  head.writeUInt16BE(query.id, 0);
  head.writeUInt16BE(
    RESPONSE | AUTHORITATIVE | RECURSION_AVAILABLE | (query.flags & REPEATED) | (complete ? 0 : TRUNCATED) | result.code,
    2,
  );
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(records.length / 2, 6);
  head.writeUInt16BE(query.edns ? 1 : 0, 10);
  return Buffer.concat(query.edns ? [head, query.question, ...records, EDNS] : [head, query.question, ...records]);
}

/** The answer to a message that could not be read as a query, or may not be: its header and a code. The message has a header. */
export function refusal(message: Buffer, code: number): Buffer {
  const head = Buffer.alloc(HEADER);
  message.copy(head, 0, 0, 2);
  head.writeUInt16BE(RESPONSE | (message.readUInt16BE(2) & (OPCODE | REPEATED)) | RECURSION_AVAILABLE | code, 2);
  return head;
}

/** Whether a message answers a query that went out with this id: a stranger's guess must have both right. */
export function answers(message: Buffer, asked: { readonly id: number; readonly question: Buffer }): boolean {
  if (message.length < HEADER + asked.question.length || message.readUInt16BE(0) !== asked.id) return false;
  if ((message.readUInt16BE(2) & RESPONSE) === 0 || message.readUInt16BE(4) !== 1) return false;
  const question = message.subarray(HEADER, HEADER + asked.question.length);
  return question.equals(asked.question) || folded(question) === folded(asked.question); // some servers give the name in their own case
}

export const codeOf = (message: Buffer): number => message.readUInt16BE(2) & 0x000f;

/** A name as it goes over the wire. `null` when it is none (an empty or too long label). */
export function encodeName(name: string): Buffer | null {
  const parts: Buffer[] = [];
  for (const label of name.split(".")) {
    const bytes = Buffer.from(label, "latin1");
    if (bytes.length === 0 || bytes.length > 63) return null;
    parts.push(Buffer.of(bytes.length), bytes);
  }
  const encoded = Buffer.concat([...parts, Buffer.of(0)]);
  return encoded.length > LONGEST_NAME ? null : encoded;
}

const RECORD_HEAD = 12;

function recordHead(type: number, { ttl, length }: { readonly ttl: number; readonly length: number }): Buffer {
  const head = Buffer.alloc(RECORD_HEAD);
  head.writeUInt16BE(FIRST_NAME, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(CLASS_IN, 4);
  head.writeUInt32BE(ttl, 6);
  head.writeUInt16BE(length, 10);
  return head;
}

/** An empty EDNS record: the root's name, its type, what we take in a datagram, nothing more. */
const EDNS = Buffer.from([0, 0, TYPE_OPT, LARGEST_DATAGRAM >> 8, LARGEST_DATAGRAM & 0xff, 0, 0, 0, 0, 0, 0]);

/** Where the type behind a name begins; `null` when there is no whole name. A pointer ends a name. */
function nameEnd(message: Buffer, start: number, { pointers }: { readonly pointers: boolean }): number | null {
  for (let at = start; at < message.length && at - start < LONGEST_NAME; ) {
    const length = message[at] ?? 0;
    if (length === 0) return at + 1;
    if ((length & POINTER) === POINTER && pointers) return at + 2;
    if ((length & POINTER) !== 0) return null;
    at += 1 + length;
  }
  return null;
}

/** The name of the question, which is known to be whole. */
function readName(message: Buffer): string | null {
  let name = "";
  for (let at = HEADER; ; ) {
    const length = message[at] ?? 0;
    if (length === 0) return name;
    if (at > HEADER) name += ".";
    for (let i = at + 1; i <= at + length; i++) {
      const byte = message[i] ?? 0;
      if (byte <= 0x20 || byte >= 0x7f || byte === 0x2e) return null;
      name += String.fromCharCode(byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte);
    }
    at += 1 + length;
  }
}

/** The size that an EDNS record among the extra records announces; `null`: there is none. */
function findEdns(message: Buffer, start: number): number | null | "broken" {
  const others = message.readUInt16BE(6) + message.readUInt16BE(8);
  const count = others + message.readUInt16BE(10);
  if (count > MOST_EXTRA) return "broken";
  let at = start;
  for (let index = 0; index < count; index++) {
    const end = nameEnd(message, at, { pointers: true });
    if (end === null || end + 10 > message.length) return "broken";
    if (index >= others && message.readUInt16BE(end) === TYPE_OPT) return message.readUInt16BE(end + 2);
    at = end + 10 + message.readUInt16BE(end + 8);
  }
  return null;
}

const folded = (bytes: Buffer): string => bytes.toString("latin1").toLowerCase();
