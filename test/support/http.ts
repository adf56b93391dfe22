import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** The body of a page. Waits up to half a minute for a server that is not up yet. */
export async function page(url: string): Promise<string> {
  for (let tries = 0; ; tries++) {
    try {
      return await fetchOnce(url);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : null;
      if (tries >= 600 || (code !== "ECONNREFUSED" && code !== "ECONNRESET")) throw error;
      await sleep(50);
    }
  }
}

function fetchOnce(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, timeout: 30_000 }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (body += chunk));
      response.on("end", () => resolve(body));
      response.on("error", reject);
    });
    request.on("timeout", () => request.destroy(new Error(`${url} does not answer`)));
    request.on("error", reject);
  });
}
