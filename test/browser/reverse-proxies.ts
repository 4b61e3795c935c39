import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";

/** Real reverse proxies in front of a real server, with the configurations of docs/OPERATIONS.md. */
export interface ReverseProxy {
  /** The port that it listens on. */
  readonly port: number;
  end(): Promise<void>;
}

/** Milliseconds in which a proxy listens, or does not start. */
const START_MS = 30_000;

/** nginx with these `location` blocks in its one server. */
export async function startNginx(locations: string): Promise<ReverseProxy> {
  const port = await freePort();
  return start("nginx", port, "nginx.conf", (file, directory) => ({
    config: `
daemon off; pid ${directory}/pid; error_log stderr error;
events {}
http {
  access_log off;
  ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${directory}/${kind};`).join(" ")}
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  server {
    listen 127.0.0.1:${port};
    ${locations}
  }
}`,
    args: ["-p", directory, "-c", file],
  }));
}

/** Caddy with this site at `address(port)`. */
export async function startCaddy(
  site: string,
  address = (port: number) => `:${port}`,
): Promise<ReverseProxy> {
  const port = await freePort();
  const proxy = await start("caddy", port, "Caddyfile", (file) => ({
    config: `{
  admin off
  auto_https disable_redirects
  skip_install_trust
  grace_period 1s
}
${address(port)} {
  ${site}
}
`,
    args: ["run", "--config", file, "--adapter", "caddyfile"],
  }));
  if (address(port).startsWith("https:")) await certified(port);
  return proxy;
}

/** Resolves when caddy has made its certificate, which it begins only once it listens. */
async function certified(port: number): Promise<void> {
  const until = performance.now() + START_MS;
  for (;;) {
    const socket = connect({ port, host: "127.0.0.1", servername: "localhost", rejectUnauthorized: false });
    const shook = await once(socket, "secureConnect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (shook) return;
    if (performance.now() > until) throw new Error("there is no certificate");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function start(
  program: string,
  port: number,
  name: string,
  write: (file: string, directory: string) => { readonly config: string; readonly args: readonly string[] },
): Promise<ReverseProxy> {
  const directory = await mkdtemp(join(tmpdir(), "murmuration-proxy-"));
  const file = join(directory, name);
  const { config, args } = write(file, directory);
  await writeFile(file, config);
  const env = { ...process.env, HOME: directory, XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory };
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"], env });
  let said = "";
  child.stderr?.on("data", (bytes) => {
    said += String(bytes);
  });
  const exited = once(child, "exit");
  await listening(port, child, () => said);
  return {
    port,
    async end() {
      child.kill("SIGTERM");
      await exited;
      await rm(directory, { recursive: true });
    },
  };
}

/** Resolves when something answers on the port. */
async function listening(port: number, child: ChildProcess, said: () => string): Promise<void> {
  const until = performance.now() + START_MS;
  for (;;) {
    const answers = await fetch(`http://127.0.0.1:${port}/`, { redirect: "manual" }).then(
      () => true,
      (error: unknown) => error instanceof Error && !String(error.cause).includes("ECONNREFUSED"),
    );
    if (answers) return;
    if (child.exitCode !== null || performance.now() > until) throw new Error(`it does not start: ${said()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // a TCP server that listens has one
  server.close();
  await once(server, "close");
  return port;
}
