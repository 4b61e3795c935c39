import { request } from "node:http";

/** Asks a server on this machine as a client does whose DNS leads there: fetch cannot name another host. */
export function askHost(port: number, host: string, path: string, init: RequestInit = {}): Promise<Response> {
  const { method = "GET", headers, body } = init;
  return new Promise((resolve, reject) => {
    const asking = request(
      {
        ...{ port, path, method },
        host: "127.0.0.1",
        headers: { ...Object.fromEntries(new Headers(headers)), host },
        agent: false,
      },
      (answer) => {
        const pieces: Buffer[] = [];
        answer.on("data", (piece: Buffer) => pieces.push(piece));
        answer.on("error", reject);
        answer.on("end", () => {
          const pairs = answer.rawHeaders.flatMap((name, i, all): [string, string][] =>
            i % 2 === 0 ? [[name, all[i + 1] ?? ""]] : [],
          );
          resolve(new Response(Buffer.concat(pieces), { status: answer.statusCode ?? 0, headers: pairs }));
        });
      },
    );
    asking.on("error", reject);
    asking.end(typeof body === "string" || body instanceof Uint8Array ? body : undefined);
  });
}
