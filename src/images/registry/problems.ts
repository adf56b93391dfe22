/** What a registry can do wrong, as failures that name it. Nothing here ever holds a credential: only hosts, paths and what was said. */
import type { IncomingMessage } from "node:http";
import { type Diagnostic, Failure } from "../../model/diagnostic.ts";
import { readBody, type TransportError, type TransportProblem } from "./transport.ts";

const ERROR_BODY_LIMIT = 64 * 1024;

/** No connection, or a broken one. */
export function unreachable(error: TransportError): Failure {
  const reason = SAYS[error.problem];
  if (error.problem === "tls")
    return new Failure(
      {
        code: "E_REGISTRY_TLS",
        message: `the registry at ${error.host} cannot be spoken to over TLS: ${detail(error)}`,
        hint: "check its certificate and this machine's clock; a registry without TLS has to be listed as insecure",
      },
      { cause: error },
    );
  return new Failure(
    {
      code: "E_REGISTRY_UNREACHABLE",
      message: `the registry at ${error.host} cannot be reached: ${reason ?? detail(error)}`,
      hint: HINTS[error.problem] ?? "check the network and try again",
    },
    { cause: error },
  );
}

/** An answer that says no. `what` is what was asked for, as a user names it. Reads the body for the registry's own words. */
export async function refusal(response: IncomingMessage, what: string, host: string): Promise<Failure> {
  const status = response.statusCode ?? 0;
  const said = await ownWords(response);
  const because = said === "" ? `status ${status}` : said;
  return new Failure(diagnosis(status, { what, host, because, waitMs: retryAfter(response) }));
}

/** Milliseconds that an answer asks to wait; 0 when it does not say. */
export function retryAfter(response: IncomingMessage): number {
  const header = response.headers["retry-after"];
  if (header === undefined) return 0;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? 0 : Math.max(0, date - Date.now());
}

/** An answer that is not what a registry would say. */
export function garbage(host: string, problem: string, options?: ErrorOptions): Failure {
  return new Failure(
    {
      code: "E_REGISTRY_ANSWER",
      message: `${host} does not answer as a registry does: ${problem}`,
      hint: "check that the name leads to a registry, and that no proxy changes its answers",
    },
    options,
  );
}

const SAYS: Readonly<Partial<Record<TransportProblem, string>>> = {
  refused: "connection refused",
  "unknown-host": "the name has no address",
  unreachable: "the network does not lead there",
  timeout: "no answer in time",
  protocol: "what answers there does not speak HTTP",
};

const HINTS: Readonly<Partial<Record<TransportProblem, string>>> = {
  proxy: "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY",
  refused: "is the registry running, and is this its port?",
  "unknown-host": "check the spelling of the registry in the image's name",
};

interface Refused {
  readonly what: string;
  readonly host: string;
  readonly because: string;
  readonly waitMs: number;
}

function diagnosis(status: number, { what, host, because, waitMs }: Refused): Diagnostic {
  switch (status) {
    case 401:
    case 403:
      return {
        code: "E_REGISTRY_AUTH",
        message: `${host} does not give access to ${what}: ${because}`,
        hint: `check the name, or log in to ${host} (docker login, podman login)`,
      };
    case 404:
      return {
        code: "E_IMAGE_NOT_FOUND",
        message: `${what} is not in the registry ${host}: ${because}`,
        hint: "check the name and the tag",
      };
    case 429:
      return {
        code: "E_REGISTRY_RATE_LIMIT",
        message: `${host} does not give ${what} now: too many requests (${because})`,
        hint: `wait${waitMs === 0 ? "" : ` ${duration(waitMs)}`}, or log in: accounts have higher limits`,
      };
    default:
      return {
        code: "E_REGISTRY_ANSWER",
        message: `${host} answered with an error for ${what}: ${because}`,
        hint: `try again${waitMs === 0 ? "" : ` in ${duration(waitMs)}`}; if it stays, ask whoever runs the registry`,
      };
  }
}

function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}

/** The messages of a registry's error document, in one line; empty where there is none. */
async function ownWords(response: IncomingMessage): Promise<string> {
  const body = (await readBody(response, ERROR_BODY_LIMIT)) ?? Buffer.alloc(0);
  try {
    const document: unknown = JSON.parse(body.toString("utf8"));
    const errors =
      typeof document === "object" && document !== null && "errors" in document && Array.isArray(document.errors) ? document.errors : [];
    const said = [...new Set([...errors.flatMap(wordsOf), ...wordsOf(document)])];
    return inOneLine(said.join("; "));
  } catch (error) {
    if (error instanceof SyntaxError) return "";
    throw error;
  }
}

/** Token services have other members than registries. */
function wordsOf(error: unknown): readonly string[] {
  if (typeof error !== "object" || error === null) return [];
  const fields = new Map<string, unknown>(Object.entries(error));
  const said = ["message", "error_description", "details", "code", "error"].map((name) => fields.get(name));
  return said.flatMap((words) => (typeof words === "string" && words !== "" ? [words] : [])).slice(0, 1);
}

/** What others said, for a message: short, and without anything that moves a cursor. */
export function inOneLine(words: string): string {
  return words.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ").slice(0, 300);
}

function detail(error: TransportError): string {
  return inOneLine(error.cause instanceof Error ? error.cause.message : error.message);
}
