// `make rust_local` itself: what it leaves on disk, how it ends, and what it says when it cannot start.
import assert from "node:assert/strict";
import { readFile, stat, writeFile } from "node:fs/promises";
import net from "node:net";
import { after, afterEach, before, test } from "node:test";
import { discard, isListening, prepare, run, start } from "./stack.mjs";

let place, stack;
before(async () => {
  place = await prepare();
});
afterEach(async () => {
  if (stack) await stack.stop();
  stack = undefined;
});
after(() => discard(place));

const PORTS = ["api", "metrics", "quickstart"];
async function assertAllQuiet() {
  for (const name of PORTS) assert.equal(await isListening(place.ports[name]), false, `${name} still listens`);
}

test("make env writes the three settings once, for the owner's eyes", async () => {
  assert.equal((await stat(place.envFile)).mode & 0o777, 0o600);
  const text = await readFile(place.envFile, "utf8");
  for (const name of ["API_CLIENT_ID", "API_SECRET", "API_PRODUCT_TYPE"]) assert.match(text, new RegExp(`^${name}=`, "m"));
  await run("make", ["env"], place);
  assert.equal(await readFile(place.envFile, "utf8"), text);
});

test("Ctrl-C stops both, and a second start uses the same keys", async () => {
  stack = await start(place);
  const keys = await readFile(place.envFile, "utf8");
  assert.match(keys, /^API_CLIENT_ID=.+$/m);
  assert.match(keys, /^API_SECRET=.+$/m);
  assert.equal((await stat(place.envFile)).mode & 0o777, 0o600);
  // P58: the banner tells which key, not the key.
  const secret = /^API_SECRET=['"]?([^'"\n]+)/m.exec(keys)[1];
  assert.ok(stack.output.includes("X-Access-Secret"));
  assert.ok(!stack.output.includes(secret), "the secret was printed");

  const end = await stack.stop("SIGINT");
  assert.notEqual(end.status, 0);
  await assertAllQuiet();

  stack = await start(place);
  assert.equal(await readFile(place.envFile, "utf8"), keys);
  const token = await (await fetch(new URL("/getBridgeToken", stack.url))).json();
  assert.match(token.bridge_token, /^[0-9a-f]{32}$/);
});

test("SIGTERM stops both", async () => {
  stack = await start(place);
  await stack.stop("SIGTERM");
  stack = undefined;
  await assertAllQuiet();
});

for (const [name, signal] of [["quickstart", "SIGKILL"], ["citadel", "SIGTERM"]]) {
  test(`when ${name} ends by itself the other is stopped, with an exit status that says so`, async () => {
    stack = await start(place);
    process.kill(stack.pidOf(name), signal);
    const { status } = await stack.end();
    assert.notEqual(status, 0);
    assert.match(stack.output, new RegExp(`${name} ended by itself`));
    await assertAllQuiet();
  });
}

test("a taken port is named, with the setting that changes it", async () => {
  for (const [port, setting] of [["api", "CITADEL_LISTEN"], ["quickstart", "FLASK_PORT"]]) {
    const squatter = net.createServer();
    await new Promise((resolve) => squatter.listen(place.ports[port], "127.0.0.1", resolve));
    const { status, output } = await run("make", ["rust_local"], place);
    await new Promise((resolve) => squatter.close(resolve));
    assert.notEqual(status, 0);
    assert.match(output, new RegExp(setting));
    assert.match(output, new RegExp(String(place.ports[port])));
  }
  await assertAllQuiet();
});

test("an unknown product is named, and nothing keeps running", async () => {
  const text = await readFile(place.envFile, "utf8");
  await writeFile(place.envFile, text.replace(/^API_PRODUCT_TYPE=.*$/m, "API_PRODUCT_TYPE=lottery"));
  const { status, output } = await run("make", ["rust_local"], place);
  await writeFile(place.envFile, text);
  assert.notEqual(status, 0);
  assert.match(output, /API_PRODUCT_TYPE/);
  await assertAllQuiet();
});

test("somebody's own keys are left alone even when this server does not know them", async () => {
  const text = await readFile(place.envFile, "utf8");
  const foreign = text
    .replace(/^API_CLIENT_ID=.*$/m, `API_CLIENT_ID=${"ab".repeat(16)}`)
    .replace(/^API_SECRET=.*$/m, "API_SECRET=sandbox-from-somewhere-else");
  await writeFile(place.envFile, foreign);
  stack = await start(place);
  assert.equal(await readFile(place.envFile, "utf8"), foreign);
  const answer = await fetch(new URL("/getBridgeToken", stack.url));
  assert.equal(answer.ok, false);
  await stack.stop();
  stack = undefined;
  await writeFile(place.envFile, text);
});
