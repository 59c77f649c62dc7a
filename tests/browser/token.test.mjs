// A widget whose bridge token no longer opens anything.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { discard, prepare, start } from "./stack.mjs";
import { button, chooseEmployer, connect, frameOf, leaveBy, search, waitForCall } from "./widget.mjs";
import { closeBrowser, newVisit, openBrowser } from "./visit.mjs";

const UNKNOWN = "0123456789abcdef0123456789abcdef";
const EXPIRED = { error: { code: "expired_token", message: "this token has expired" } };

let place, stack;
before(async () => {
  await openBrowser();
  place = await prepare();
  stack = await start(place);
});
after(async () => {
  await stack?.stop();
  await closeBrowser();
  await discard(place);
});

async function assertEnded(visit) {
  const frame = frameOf(visit.page);
  await waitForCall(visit, "SCREEN_VIEW(ERROR)");
  await leaveBy(visit, button(frame, "Close"));
  await waitForCall(visit, "CLOSE");
  assert.deepEqual(await visit.story(), ["onLoad", "LOAD", "OPEN", "SCREEN_VIEW(ERROR)", "onClose", "CLOSE"]);
  const open = (await visit.calls()).find((call) => call.type === "OPEN").payload;
  assert.equal(open.product_type, undefined);
  assert.ok(open.bridge_token);
}

test("an unknown token gets the page of an ended session, not a form", async () => {
  const visit = await newVisit();
  await visit.page.route("**/getBridgeToken", (route) => route.fulfill({ json: { bridge_token: UNKNOWN } }));
  await connect(visit, stack.url);
  await waitForCall(visit, "SCREEN_VIEW(ERROR)");
  await visit.picture("unknown-token");
  await assertEnded(visit);
  await visit.end();
});

test("a token with something around it opens nothing", async () => {
  const visit = await newVisit();
  const { bridge_token: token } = await (await fetch(new URL("/getBridgeToken", stack.url))).json();
  for (const around of [`${token}%20`, `${token}%09`, `%0A${token}`, `${token}%0D`]) {
    await visit.page.goto(`http://127.0.0.1:${place.ports.api}/mobile.html?bridge_token=${around}`);
    await visit.page.getByRole("button", { name: "Close" }).waitFor();
    await visit.page.getByRole("heading", { name: /not valid|expired|ended/i }).waitFor();
    assert.equal(await search(visit.page).count(), 0, around);
  }
  await visit.end();
});

test("a token that has aged before the widget opens", async () => {
  const visit = await newVisit();
  await visit.page.route("**/bridge/api/session", (route) => route.fulfill({ status: 410, json: EXPIRED }));
  await connect(visit, stack.url);
  await waitForCall(visit, "SCREEN_VIEW(ERROR)");
  await visit.picture("expired-token");
  await assertEnded(visit);
  await visit.end();
});

test("a token that ages while somebody searches", async () => {
  const visit = await newVisit();
  const frame = await connect(visit, stack.url);
  await search(frame).waitFor();
  await visit.page.route("**/bridge/api/**", (route) => route.fulfill({ status: 410, json: EXPIRED }));
  await search(frame).fill("Facebook");
  await waitForCall(visit, "SCREEN_VIEW(ERROR)");
  await visit.picture("aged-token");
  assert.ok(!(await visit.story()).includes("ERROR"));
  await leaveBy(visit, button(frame, "Close"));
  await waitForCall(visit, "CLOSE");
  assert.deepEqual((await visit.story()).slice(-2), ["onClose", "CLOSE"]);
  await visit.end();
});

test("the server out of reach for a moment is no reason to start over", async () => {
  const visit = await newVisit();
  const frame = await connect(visit, stack.url);
  await search(frame).waitFor();
  await visit.page.route("**/bridge/api/**", (route) => route.abort("connectionrefused"));
  await search(frame).fill("Facebook");
  await frame.getByText(/keep trying|reconnecting/i).filter({ visible: true }).first().waitFor();
  await visit.picture("out-of-reach");
  await visit.page.unroute("**/bridge/api/**");
  await chooseEmployer(visit, frame);
  await leaveBy(visit, button(frame, "Close"));
  await waitForCall(visit, "CLOSE");
  await visit.end();
});
