// The server that the tests look at: one that runs already, the demo of a binary, or the page's development server.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const START_MS = 60_000;
const STOP_MS = 20_000;
const MOCK = new URL("../../dashboard/dev/mock.mjs", import.meta.url).pathname;

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

async function answers(url) {
  const until = Date.now() + START_MS;
  for (;;) {
    const answer = await fetch(`${url}/api/models`, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
    if (answer?.ok) return;
    if (Date.now() > until) throw new Error(`${url} does not answer after ${START_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** `{url, token, kind, end, start?, stop?}`: the last two only where the server is ours. */
export async function startServer(env = process.env) {
  if (env.PERENNIAL_URL) {
    const url = env.PERENNIAL_URL.replace(/\/$/, "");
    await answers(url);
    return { url, token: env.PERENNIAL_TOKEN ?? "", kind: "running", end: async () => {} };
  }
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const token = "browser-test";
  const folder = await mkdtemp(join(tmpdir(), "perennial-browser-"));
  const tokenFile = join(folder, "token");
  await writeFile(tokenFile, token, { mode: 0o600 });
  const [kind, command, args] = env.PERENNIAL_BIN
    ? ["demo", env.PERENNIAL_BIN, ["demo", "--http", `127.0.0.1:${port}`]]
    : ["mock", process.execPath, [MOCK, String(port)]];
  let child;
  let said = "";
  const start = async () => {
    // The mock changes its world every 45 s: with 40 s behind it the next change is near.
    child = spawn(command, args, {
      env: { ...env, PERENNIAL_HTTP__TOKEN_FILE: tokenFile, TOKEN: token, PAST: "40" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.on("error", (error) => (said += error.message));
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (data) => (said = (said + data).slice(-4_000)));
    await answers(url).catch((error) => {
      throw new Error(`${error.message}; it said: ${said}`);
    });
  };
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGTERM");
    const hard = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    await gone;
    clearTimeout(hard);
  };
  const end = async () => {
    await stop();
    await rm(folder, { recursive: true });
  };
  await start();
  return { url, token, kind, start, stop, end };
}
