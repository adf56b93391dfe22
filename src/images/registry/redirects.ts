/** Follows the redirects of reads, without telling another host what only the first may know. */
import type { IncomingMessage } from "node:http";
import { garbage } from "./problems.ts";
import { discard, hostOf, type Request, type Transport } from "./transport.ts";

const REDIRECTS = 10;
const STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const redirected = new WeakSet<IncomingMessage>();

/** Sends a request and gives the answer at the end of its redirects. Nothing goes from https down to http, and writes go nowhere else. */
export async function follow(transport: Transport, request: Request): Promise<IncomingMessage> {
  const reads = request.method === "GET" || request.method === "HEAD";
  let { url, headers } = request;
  for (let hop = 0; hop <= REDIRECTS; hop += 1) {
    const response = await transport.send({ ...request, url, headers });
    if (hop > 0) redirected.add(response);
    const { location } = response.headers;
    if (!reads || location === undefined || !STATUSES.has(response.statusCode ?? 0)) return response;
    await discard(response);
    if (!URL.canParse(location, url.href)) throw garbage(hostOf(url), "it redirects to something that is no address");
    const next = new URL(location, url);
    if (next.protocol !== "https:" && next.protocol !== url.protocol)
      throw garbage(hostOf(url), `it redirects from ${url.protocol} to ${next.protocol}`);
    if (next.host !== url.host) headers = forStrangers(headers);
    url = next;
  }
  throw garbage(hostOf(request.url), `it redirects more than ${REDIRECTS} times`);
}

/** Whether an answer came from where a redirect led: it is then not the registry's own word. */
export function wasRedirected(response: IncomingMessage): boolean {
  return redirected.has(response);
}

function forStrangers(headers: Request["headers"]): Request["headers"] {
  const { authorization, cookie, ...others } = headers;
  return others;
}
