/**
 * Asks the benches' server, from wherever it is run: `node client.mjs download HOST PORT` prints bytes a second of one large answer, `connect` prints
 * connections a second, several at a time, each with one small request.
 */
import { connect } from "node:net";

const DOWNLOAD_MS = 1500;
const CONNECTIONS = 2000;
const AT_ONCE = 8;

const [what, host, port] = process.argv.slice(2);
const ask = (path, more) => `GET ${path} HTTP/1.1\r\nHost: bench\r\n${more}\r\n`;

console.log(what === "download" ? await download() : await connections());

function download() {
  return new Promise((resolve, reject) => {
    const pieces = { buffer: Buffer.alloc(1024 * 1024), callback: count };
    let bytes = 0;
    let began = 0;
    const socket = connect({ host, port: Number(port), onread: pieces }, () => socket.write(ask("/large", "")));
    socket.on("error", reject);
    socket.on("end", () => reject(new Error("the answer ended")));
    function count(length) {
      const now = performance.now();
      if (began === 0) began = now;
      else bytes += length;
      if (now - began < DOWNLOAD_MS) return true;
      socket.destroy();
      resolve((bytes * 1000) / (now - began));
      return false;
    }
  });
}

async function connections() {
  const began = performance.now();
  let left = CONNECTIONS;
  const work = async () => {
    while (left-- > 0) await once();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return (CONNECTIONS * 1000) / (performance.now() - began);
}

function once() {
  return new Promise((resolve, reject) => {
    let answered = false;
    const socket = connect({ host, port: Number(port) }, () => socket.write(ask("/", "Connection: close\r\n")));
    socket.on("data", () => (answered = true));
    socket.on("error", reject);
    socket.on("close", () => (answered ? resolve() : reject(new Error("no answer"))));
  });
}
