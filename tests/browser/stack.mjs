// Starts the two processes the way a user does, with `make rust_local`, in a folder and on ports of its own.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));

// The first start in a clean clone builds both programs.
const READY_MS = 20 * 60_000;
const STOP_MS = 30_000;
const LONGEST_MS = 25 * 60_000;
const BANNER = /Quickstart Loaded\. Navigate to (http:\/\/\S+) to view Quickstart\./;

const running = new Set();
process.on("exit", () => running.forEach((group) => signalGroup(group, "SIGKILL")));
// A test that waits for ever is a failure, not a night of waiting.
setTimeout(() => {
  console.error(`not done after ${LONGEST_MS / 60_000} minutes`);
  process.exit(1);
}, LONGEST_MS).unref();

/** A folder with a fresh `.env` for one product, and four free ports. */
export async function prepare(product = "employment") {
  const dir = await mkdtemp(path.join(os.tmpdir(), "citadel-browser-"));
  const [api, dashboard, metrics, quickstart] = await freePorts(4);
  const env = {
    ...process.env,
    RUN_DIR: dir,
    CITADEL_LISTEN: `127.0.0.1:${api}`,
    CITADEL_DASHBOARD_LISTEN: `127.0.0.1:${dashboard}`,
    CITADEL_METRICS_LISTEN: `127.0.0.1:${metrics}`,
    FLASK_PORT: String(quickstart),
  };
  // A developer's own settings must not reach into the test.
  for (const name of ["API_CLIENT_ID", "API_SECRET", "API_PRODUCT_TYPE", "API_URL", "BRIDGE_URL", "PORT", "SHOW_SECRET"]) {
    delete env[name];
  }
  for (const name of ["CITADEL_DATA_DIR", "CITADEL_DATABASE_URL", "CITADEL_PUBLIC_URL", "CITADEL_PROFILE", "MAKEFLAGS", "MAKELEVEL"]) {
    delete env[name];
  }
  const place = { dir, env, ports: { api, dashboard, metrics, quickstart }, envFile: path.join(dir, ".env") };
  const { status, output } = await run("make", ["--no-print-directory", "env"], place);
  assert.equal(status, 0, output);
  await setProduct(place, product);
  return place;
}

export async function setProduct(place, product) {
  const text = await readFile(place.envFile, "utf8");
  await writeFile(place.envFile, text.replace(/^API_PRODUCT_TYPE=.*$/m, `API_PRODUCT_TYPE=${product}`));
}

/** Runs a command to its end in the project's root. */
export function run(command, args, place) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env: place.env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (data) => (output += data));
    child.stderr.on("data", (data) => (output += data));
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, output }));
  });
}

/** `make rust_local`, up to its banner. */
export async function start(place) {
  // A process group of its own, so that a test can press Ctrl-C: the signal goes to every process in the group.
  const child = spawn("make", ["--no-print-directory", "rust_local"], {
    cwd: root,
    env: place.env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child.pid);
  const stack = { place, group: child.pid, output: "", url: "", api: `http://127.0.0.1:${place.ports.api}` };
  const ended = new Promise((resolve) => child.on("close", (status, signal) => resolve({ status, signal })));
  const loaded = new Promise((resolve) => {
    const read = (data) => {
      stack.output += data;
      const banner = BANNER.exec(stack.output);
      if (banner) resolve((stack.url = banner[1]));
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
  });

  stack.end = () => deadline(ended, STOP_MS, () => `the processes did not end:\n${stack.output}`);
  stack.stop = async (signal = "SIGINT") => {
    signalGroup(stack.group, signal);
    const end = await stack.end();
    assert.deepEqual(members(stack.group), [], `left running:\n${stack.output}`);
    running.delete(stack.group);
    return end;
  };
  stack.pidOf = (name) => members(stack.group).find((member) => member.name === name)?.pid;

  const first = await deadline(Promise.race([loaded, ended]), READY_MS, () => `no banner:\n${stack.output}`);
  if (typeof first !== "string") throw new Error(`make rust_local ended (${first.status}):\n${stack.output}`);
  return stack;
}

export async function discard(place) {
  await rm(place.dir, { recursive: true, force: true });
}

export function isListening(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.on("connect", () => socket.destroy(resolve(true)));
    socket.on("error", () => resolve(false));
  });
}

/** Every process of a group that has not ended, from /proc: `ps` may not be there. */
export function members(group) {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map((pid) => stat(pid))
    .filter((process) => process && process.group === group && process.state !== "Z");
}

function stat(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name is in brackets and may hold spaces and brackets itself.
    const name = text.slice(text.indexOf("(") + 1, text.lastIndexOf(")"));
    const [state, , group] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { pid: Number(pid), name, state, group: Number(group) };
  } catch {
    return null; // It ended while we looked.
  }
}

function signalGroup(group, signal) {
  try {
    process.kill(-group, signal);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = net.createServer();
      await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

async function deadline(promise, milliseconds, message) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(message())), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
