/** A registry on a free loopback port that notes what it is asked, and that can be told to misbehave. */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Digest } from "../../src/model/digest.ts";
import { type Document, digestOf, type MadeImage } from "./image-files.ts";

export interface Seen {
  readonly method: string;
  /** With its query, as it was sent. */
  readonly url: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Looks at a request before the registry does; gives whether it answered it. */
export type Hook = (seen: Seen, response: ServerResponse, request: IncomingMessage) => boolean | Promise<boolean>;

export interface FakeRegistry {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  readonly requests: Seen[];
  hook: Hook;
  /** Looks at a request before its body comes; gives whether it deals with it. */
  early: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** How it spells the address of an upload. */
  place: (path: string) => string;
  /** Takes bytes of an upload as if they had come with a request to this address. */
  continueUpload(url: string, bytes: Buffer): void;
  /** Knows no upload any more; of one that ended well it has the content. */
  forgetUploads(ended: Buffer | null): void;
  /** Serves an image as `NAME:TAG`. */
  put(name: string, tag: string, image: MadeImage): void;
  /** What it holds now under a name and tag. */
  manifest(name: string, tag: string): Document | undefined;
  blob(digest: Digest): Buffer | undefined;
  /** `GET /v2/…` of all requests since the last time. */
  asked(): readonly string[];
  stop(): Promise<void>;
}

export interface FakeOptions {
  /** Speak TLS, with a certificate that nobody trusts. */
  readonly tls?: boolean;
}

export async function startFake({ tls = false }: FakeOptions = {}): Promise<FakeRegistry> {
  const contents = new Contents();
  const requests: Seen[] = [];
  const listen = (request: IncomingMessage, response: ServerResponse): void => {
    if (fake.early(request, response)) return;
    answer(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500);
      response.end(String(error));
    });
  };
  const server = tls ? createTlsServer(certificate(), listen) : createServer(listen);
  server.keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a TCP server has no port");
  const host = `127.0.0.1:${address.port}`;
  let told = 0;
  const fake: FakeRegistry = {
    host,
    requests,
    hook: () => false,
    early: () => false,
    place: (path) => path,
    continueUpload: (url, bytes) => contents.continueUpload(url, bytes),
    forgetUploads: (ended) => contents.forgetUploads(ended),
    put: (name, tag, image) => contents.put(name, tag, image),
    manifest: (name, tag) => contents.manifests.get(`${name}:${tag}`),
    blob: (digest) => contents.blobs.get(digest),
    asked: () => {
      const fresh = requests.slice(told).map(({ method, url }) => `${method} ${url}`);
      told = requests.length;
      return fresh;
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      return; // the one who asks went away
    }
    const url = new URL(request.url ?? "/", "http://registry");
    const seen: Seen = {
      method: request.method ?? "",
      url: request.url ?? "",
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: Buffer.concat(chunks),
    };
    requests.push(seen);
    if (!(await fake.hook(seen, response, request))) contents.serve(seen, response, fake.place);
  };
  return fake;
}

/** Runs a test's body with a registry, and takes it away. */
export function withFake(body: (fake: FakeRegistry) => Promise<void>, options?: FakeOptions): () => Promise<void> {
  return async () => {
    const fake = await startFake(options);
    try {
      await body(fake);
    } finally {
      await fake.stop();
    }
  };
}

/** A registry's error document. */
export function refuse(
  response: ServerResponse,
  status: number,
  { headers = {}, message = "no" }: { readonly headers?: Readonly<Record<string, string | string[]>>; readonly message?: string } = {},
): true {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify({ errors: [{ code: "X", message }] }));
  return true;
}

export function redirect(response: ServerResponse, location: string, status = 307): true {
  response.writeHead(status, { location });
  response.end();
  return true;
}

/** Answers a request for a blob as registries do. */
export function sendBlob({ headers, method }: Seen, response: ServerResponse, blob: Buffer): true {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? "") ?? [];
  const start = from === undefined ? 0 : Number(from);
  const end = to === undefined || to === "" ? blob.length : Math.min(Number(to) + 1, blob.length);
  if (from === undefined) response.writeHead(200, { "content-length": blob.length, "accept-ranges": "bytes" });
  else response.writeHead(206, { "content-length": end - start, "content-range": `bytes ${start}-${end - 1}/${blob.length}` });
  response.end(method === "HEAD" ? undefined : blob.subarray(start, end));
  return true;
}

class Contents {
  readonly blobs = new Map<string, Buffer>();
  /** By `name:tag` and `name@digest`. */
  readonly manifests = new Map<string, Document>();
  readonly #uploads = new Map<string, Buffer>();
  #next = 1;

  put(name: string, tag: string, { top, documents, blobs }: MadeImage): void {
    this.manifests.set(`${name}:${tag}`, top);
    for (const document of documents) this.manifests.set(`${name}@${document.digest}`, document);
    for (const { digest, bytes } of blobs) this.blobs.set(digest, bytes);
  }

  continueUpload(url: string, bytes: Buffer): void {
    const id = /uploads\/(u\d+)/.exec(url)?.[1] ?? "";
    this.#uploads.set(id, Buffer.concat([this.#uploads.get(id) ?? Buffer.alloc(0), bytes]));
  }

  forgetUploads(ended: Buffer | null): void {
    this.#uploads.clear();
    if (ended !== null) this.blobs.set(digestOf(ended), ended);
  }

  serve(seen: Seen, response: ServerResponse, place: (path: string) => string): void {
    const [, name = "", kind = "", rest = ""] = /^\/v2\/(.+)\/(manifests|blobs)\/(.*)$/.exec(seen.path) ?? [];
    if (seen.path === "/v2/") response.writeHead(200).end("{}");
    else if (kind === "manifests") this.#manifest(seen, response, { name, tag: rest });
    else if (rest.startsWith("uploads/")) this.#upload(seen, response, { name, id: rest.slice("uploads/".length), place });
    else {
      const blob = this.blobs.get(rest);
      if (blob === undefined) refuse(response, 404, { message: "blob unknown" });
      else sendBlob(seen, response, blob);
    }
  }

  #manifest(
    { method, headers, body }: Seen,
    response: ServerResponse,
    { name, tag }: { readonly name: string; readonly tag: string },
  ): void {
    const key = tag.includes(":") ? `${name}@${tag}` : `${name}:${tag}`;
    if (method === "PUT") {
      const document = { mediaType: headers["content-type"] ?? "", bytes: body, digest: digestOf(body) };
      this.manifests.set(key, document).set(`${name}@${document.digest}`, document);
      response.writeHead(201, { "docker-content-digest": document.digest }).end();
      return;
    }
    const found = this.manifests.get(key);
    if (found === undefined) {
      refuse(response, 404, { message: "manifest unknown" });
      return;
    }
    const { mediaType, digest, bytes } = found;
    response.writeHead(200, { "content-type": mediaType, "content-length": bytes.length, "docker-content-digest": digest });
    response.end(method === "HEAD" ? undefined : bytes);
  }

  /** Monolithic and in pieces; a mount is taken as a wish to upload. */
  #upload(
    { method, headers, query, body }: Seen,
    response: ServerResponse,
    { name, id, place }: { readonly name: string; readonly id: string; readonly place: (path: string) => string },
  ): void {
    const uploads = this.#uploads;
    const fresh = `u${this.#next++}`;
    const here = (key: string): string => place(`/v2/${name}/blobs/uploads/${key}?_state=a%2Bb==`);
    const upload = uploads.get(id);
    if (method === "POST") {
      uploads.set(fresh, Buffer.alloc(0));
      response.writeHead(202, { location: here(fresh), range: "0-0" }).end();
    } else if (upload === undefined) refuse(response, 404, { message: "upload unknown" });
    else if (method === "GET" || method === "DELETE") {
      if (method === "DELETE") uploads.delete(id);
      response.writeHead(204, { location: here(id), range: `0-${Math.max(upload.length - 1, 0)}` }).end();
    } else {
      const [from = "0"] = (headers["content-range"] ?? "0-").split("-");
      if (Number(from) !== upload.length) {
        refuse(response, 416, { message: "pieces out of order" });
        return;
      }
      const whole = Buffer.concat([upload, body]);
      uploads.set(id, whole);
      if (method === "PATCH") response.writeHead(202, { location: here(id), range: `0-${whole.length - 1}` }).end();
      else if (query.get("digest") !== digestOf(whole)) refuse(response, 400, { message: "digest invalid" });
      else {
        this.blobs.set(digestOf(whole), whole);
        uploads.delete(id);
        response.writeHead(201).end();
      }
    }
  }
}

function certificate(): { readonly key: Buffer; readonly cert: Buffer } {
  const directory = mkdtempSync(join(tmpdir(), "wharf-certificate-"));
  const key = join(directory, "key.pem");
  const cert = join(directory, "cert.pem");
  try {
    const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
    const kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    execFileSync("openssl", [...kind, "-keyout", key, "-out", cert, ...subject], { stdio: "ignore" });
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
