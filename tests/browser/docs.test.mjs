// The API reference works with no other host, and speaks to the server that it came from.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { discard, prepare, start } from "./stack.mjs";
import { closeBrowser, newVisit, openBrowser } from "./visit.mjs";

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

test("/docs shows the reference and sends a request", async () => {
  const visit = await newVisit();
  const { page } = visit;
  await page.goto(`${stack.api}/docs`);
  const attempt = page.getByRole("button", { name: /test request/i }).first();
  await attempt.waitFor();
  await visit.picture("docs");

  await attempt.click();
  const [request] = await Promise.all([
    page.waitForRequest((request) => request.url().includes("/v1/")),
    page.getByRole("button", { name: /send/i }).first().click(),
  ]);
  assert.equal(new URL(request.url()).origin, stack.api);
  assert.equal((await request.response()).status(), 401, "no key was given");
  await visit.picture("docs-request");
  // The bundle asks once whether it may compile code at run time, and does without when the policy says no.
  const refused = await page.evaluate(() => window.__violations.splice(0));
  assert.ok(refused.every((violation) => violation.startsWith("script-src eval ")), refused.join("\n"));
  await visit.end();
});
