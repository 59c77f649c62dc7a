// An order: its own page on a telephone, gone on with later; and the same page framed with `isOrder`.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { readFile } from "node:fs/promises";
import http from "node:http";
import { discard, prepare, start } from "./stack.mjs";
import { button, chooseEmployerIn, finishIn, frameOf, signIn } from "./widget.mjs";
import { closeBrowser, newVisit, openBrowser } from "./visit.mjs";

let place, stack, keys;
before(async () => {
  await openBrowser();
  place = await prepare();
  stack = await start(place);
  const text = await readFile(place.envFile, "utf8");
  const value = (name) => new RegExp(`^${name}=(.*)$`, "m").exec(text)[1];
  keys = { "X-Access-Client-Id": value("API_CLIENT_ID"), "X-Access-Secret": value("API_SECRET") };
});
after(async () => {
  await stack?.stop();
  await closeBrowser();
  await discard(place);
});

async function call(method, path, body) {
  const answer = await fetch(`${stack.api}/v1/${path}`, {
    method,
    headers: { ...keys, "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });
  assert.ok(answer.ok, `${path}: ${answer.status}`);
  return answer.json();
}

const order = (employers) =>
  call("POST", "orders/", { products: ["income"], client_name: "Acme Loans", first_name: "John", employers });

/** From an employer's button to the end of its widget. `page` holds the widget's frame. */
async function connectEmployer(page, name) {
  await button(page, `Connect ${name}`).click();
  const frame = frameOf(page);
  await chooseEmployerIn(frame);
  await signIn(frame, "goodlogin", "goodpassword");
  await finishIn(frame);
}

test("the page of an order on a telephone: agree, connect, come back, skip", async () => {
  const made = await order([{ company_name: "Home Depot" }, {}]);
  const visit = await newVisit({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  const { page } = visit;
  await page.goto(made.share_url);
  await page.getByRole("heading", { name: "Confirm your income" }).waitFor();
  await visit.picture("order-welcome");
  const isWide = () => document.documentElement.scrollWidth > window.innerWidth;
  assert.equal(await page.evaluate(isWide), false);
  await button(page, "Continue").click();
  await page.getByRole("heading", { name: "Connect your employers" }).waitFor();
  await visit.picture("order-employers");
  await connectEmployer(page, "Home Depot");
  await page.getByText("Connected", { exact: true }).waitFor();

  // Another day, from the same address, the shorter one.
  await page.goto(made.short_share_url);
  await page.getByText("Connected", { exact: true }).waitFor();
  await visit.picture("order-one-connected");
  assert.equal(await button(page, "Connect Home Depot").count(), 0);
  await button(page, "Skip Your employer").click();
  await page.getByRole("heading", { name: "All done" }).waitFor();
  await visit.picture("order-done");
  const now = await call("GET", `orders/${made.id}`);
  assert.deepEqual(now.employers.map((employer) => employer.status), ["completed", "skipped"]);
  assert.equal(now.status, "completed");
  assert.ok(now.user_consent_at && now.employers[0].employments[0].statements.length > 0);
  await visit.end();
});

test("an order that was taken back says so", async () => {
  const made = await order([]);
  await call("POST", `orders/${made.id}/cancel/`);
  const visit = await newVisit({ colorScheme: "dark" });
  await visit.page.goto(made.share_url);
  await visit.page.getByRole("heading", { name: "This is not needed any more" }).waitFor();
  await visit.picture("order-canceled-dark");
  await visit.page.goto(`${stack.api}/orders/0123456789abcdef0123456789abcdef`);
  await visit.page.getByRole("heading", { name: "This page is not valid any more" }).waitFor();
  await visit.end();
});

const host = (token) => `<!doctype html><title>Host</title><script src="${stack.api}/bridge.js"></script><script>
  window.told = [];
  const note = (name) => (...args) => told.push([name, ...args]);
  const bridge = TruvBridge.init({
    bridgeToken: "${token}", isOrder: true,
    onLoad: note("onLoad"), onSuccess: note("onSuccess"), onClose: note("onClose"),
    onEvent: (type, payload, source) => told.push([type, payload === undefined ? "undefined" : payload.view_name || "payload", source]),
  });
  bridge.open();
</script>`;

test("isOrder frames the page of the order, and tells who speaks", async () => {
  const made = await order([{ company_name: "Home Depot" }]);
  const visit = await newVisit();
  const { page } = visit;
  // A page of another origin, on the same machine as the server.
  const server = http.createServer((_, answer) => answer.setHeader("Content-Type", "text/html").end(host(made.bridge_token)));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  const outer = frameOf(page);
  await button(outer, "Continue").click();
  await visit.picture("order-framed");
  await connectEmployer(outer, "Home Depot");
  await outer.getByRole("heading", { name: "All done" }).waitFor();
  await visit.picture("order-framed-done");
  const done = button(outer, "Done");
  await done.hover();
  await page.mouse.down();
  page.mouse.up().catch(() => {});
  await page.waitForFunction(() => window.told.some(([name]) => name === "CLOSE" ));
  await page.waitForFunction(() => window.told.at(-1)[0] === "CLOSE" && window.told.at(-1)[2] === "order");
  const told = await page.evaluate(() => window.told);
  const ofOrder = told.filter(([name, , source]) => source === "order" || /^on/.test(name)).map(([name]) => name);
  assert.deepEqual(ofOrder, ["onLoad", "LOAD", "COMPLETED", "onSuccess", "SUCCESS", "onClose", "CLOSE"]);
  assert.equal(told.find(([name]) => name === "onSuccess").length, 1, "without arguments");
  assert.ok(told.filter(([, , source]) => source === "order").every(([, payload]) => payload === "undefined"));
  const ofBridge = told.filter(([, , source]) => source === "bridge").map(([name]) => name);
  for (const name of ["LOAD", "OPEN", "LINK_CREATED", "LOGIN_COMPLETE", "SUCCESS", "CLOSE"]) assert.ok(ofBridge.includes(name), name);
  assert.equal((await call("GET", `orders/${made.id}`)).status, "completed");
  await visit.end();
  server.close();
});

test("an employer that is asked for two things is told apart, and a skipped one is not claimed", async () => {
  const body = { products: ["income", "employment"], client_name: "Acme Loans", employers: [{ company_name: "Home Depot" }] };
  const made = await call("POST", "orders/", body);
  const visit = await newVisit({ viewport: { width: 390, height: 844 } });
  const { page } = visit;
  await page.goto(made.share_url);
  await button(page, "Continue").click();
  await button(page, "Connect Home Depot, income").waitFor();
  await visit.picture("order-two-products");
  await button(page, "Skip Home Depot, employment").click();
  await page.getByText("Skipped", { exact: true }).waitFor();
  await connectEmployer(page, "Home Depot, income");
  await page.getByText("Acme Loans has what you connected.").waitFor();
  await visit.end();
});
