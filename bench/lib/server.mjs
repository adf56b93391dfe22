/**
 * The server of the benches, run by node in a container: `/` says $COLOR, `/large` gives as many bytes as one reads. Told to end it answers what
 * comes on the connections it has, says that each answer is the last, and is gone with the last of them: no request fails by it.
 */
import { createServer } from "node:http";
import { Server } from "node:net";

const PIECE = Buffer.alloc(256 * 1024, "large");
const LONGEST_FAREWELL_MS = 5000;
let ending = false;

const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
  if (ending) response.setHeader("Connection", "close");
  if (request.url !== "/large") return response.end(`${process.env.COLOR}\n`);
  const more = () => {
    while (response.write(PIECE));
  };
  response.on("drain", more);
  request.on("close", () => response.off("drain", more));
  more();
});
server.listen(3000, "::");

process.on("SIGTERM", () => {
  ending = true;
  // Of a server for HTTP `close` cuts connections that are idle just now, with a request on its way perhaps.
  Server.prototype.close.call(server, () => process.exit(0));
  setTimeout(() => process.exit(0), LONGEST_FAREWELL_MS);
});
