/** Stands before a registry and counts what is asked of it. */
import { once } from "node:events";
import { createServer, request } from "node:http";

export interface CountingProxy {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** How often each `METHOD /path` was asked for. */
  readonly counts: ReadonlyMap<string, number>;
  stop(): Promise<void>;
}

export async function startCountingProxy(registry: string): Promise<CountingProxy> {
  const counts = new Map<string, number>();
  const [hostname, port] = registry.split(":");
  const server = createServer((question, answer) => {
    const { method = "GET", url = "/", headers } = question;
    counts.set(`${method} ${url}`, (counts.get(`${method} ${url}`) ?? 0) + 1);
    const onward = request({ host: hostname, port, method, path: url, headers, agent: false }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    onward.on("error", () => answer.destroy());
    answer.on("close", () => onward.destroy());
    question.pipe(onward);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a TCP server has no port");
  return {
    host: `127.0.0.1:${address.port}`,
    counts,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
