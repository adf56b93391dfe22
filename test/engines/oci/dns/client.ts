/** Messages made by hand, for what no resolver of a system would send. */
import { encodeName } from "../../../../src/engines/oci/supervisor/dns/message.ts";

export function queryBytes({
  name,
  type = 1,
  id = 1,
  edns = null,
}: {
  readonly name: string;
  readonly type?: number;
  readonly id?: number;
  readonly edns?: number | null;
}): Buffer {
  const encoded = encodeName(name);
  if (encoded === null) throw new Error(`no name: ${name}`);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(id, 0);
  head.writeUInt16BE(0x0100, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(edns === null ? 0 : 1, 10);
  const extra = edns === null ? Buffer.alloc(0) : Buffer.from([0, 0, 41, edns >> 8, edns & 0xff, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([head, encoded, Buffer.of(0, type, 0, 1), extra]);
}
