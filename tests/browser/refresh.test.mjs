// Reading again without the person, and the webhooks that tell of every change on the way.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { ALL_DONE, historyWith, stepsOf } from "./company.mjs";
import { discard, prepare, start } from "./stack.mjs";
import { closeBrowser, newVisit, openBrowser } from "./visit.mjs";
import { button, chooseEmployer, connect, finish, history, signIn, WORK_MS } from "./widget.mjs";

let place, stack;
before(async () => {
  await openBrowser();
  place = await prepare("income");
  stack = await start(place);
});
after(async () => {
  await stack?.stop();
  await closeBrowser();
  await discard(place);
});

/** A visitor whose data is on the page. */
async function connected(user) {
  const visit = await newVisit();
  const frame = await connect(visit, stack.url);
  assert.equal(await button(visit.page, "Refresh").isVisible(), false, "there is nothing to refresh yet");
  await chooseEmployer(visit, frame);
  await signIn(frame, user, "goodpassword");
  await finish(visit, frame);
  assert.ok((await history(visit.page)).length > 0);
  return visit;
}

test("Refresh reads the data again", async () => {
  const visit = await connected("goodlogin");
  const { page } = visit;
  const first = await history(page);
  await page.evaluate(() => (document.querySelector("#history").textContent = ""));
  await button(page, "Refresh").click();
  assert.ok(await button(page, "Refresh").isDisabled(), "it works");
  const again = await historyWith(page, "statements");
  assert.deepEqual(again.map((job) => job.id), first.map((job) => job.id));
  await page.getByRole("status").filter({ hasText: "Refreshed" }).waitFor();
  assert.deepEqual(await stepsOf(page), ALL_DONE);
  await visit.picture("refresh", { fullPage: true });
  await visit.end();
});

test("a refresh that is refused keeps the data and says so", async () => {
  const visit = await connected("goodlogin.expiring");
  const { page } = visit;
  await button(page, "Refresh").click();
  await page.getByRole("status").filter({ hasText: "The sign-in was refused" }).waitFor({ timeout: WORK_MS });
  assert.ok((await history(page))[0].statements.length > 0);
  await visit.end();
});

test("the terminal tells of webhooks with the right signature, and nothing of what they hold", async () => {
  const end = Date.now() + WORK_MS;
  const told = /CITADEL: Webhook received\nCITADEL: Event type: task-status-updated\nCITADEL: Status: done\nCITADEL: Signatures match - true/;
  while (!told.test(stack.output) && Date.now() < end) await pause(200);
  assert.match(stack.output, told);
  assert.doesNotMatch(stack.output, /Signatures match - false/);
});
