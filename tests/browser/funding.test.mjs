// A company pays its people from another account: the widget first, the two micro-deposits afterwards on the page.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ALL_DONE, chooseProvider, confirmAccount, historyWith, signInAsCompany, stepsOf } from "./company.mjs";
import { discard, prepare, start } from "./stack.mjs";
import { closeBrowser, newVisit, openBrowser } from "./visit.mjs";
import { button, connect, finish } from "./widget.mjs";

let place, stack;
before(async () => {
  await openBrowser();
  place = await prepare("fas");
  stack = await start(place);
});
after(async () => {
  await stack?.stop();
  await closeBrowser();
  await discard(place);
});

test("fas ends when the two amounts are right, and says what is wrong until then", async () => {
  const visit = await newVisit();
  const { page } = visit;
  const frame = await connect(visit, stack.url);
  await chooseProvider(visit, frame, "ADP");
  await signInAsCompany(frame);
  await confirmAccount(frame);
  await finish(visit, frame);

  const report = await historyWith(page, "micro_deposits_required");
  assert.equal(report.micro_deposits_required, true);
  assert.equal(report.account_details.account_number, "16002600");
  const first = page.getByRole("textbox", { name: "First micro-deposit", exact: true });
  const second = page.getByRole("textbox", { name: "Second micro-deposit", exact: true });
  assert.deepEqual([await first.inputValue(), await second.inputValue()], ["0.1", "0.2"]);
  await visit.picture("fas-1-first-step", { fullPage: true });

  await first.fill("0.3");
  await button(page, "Submit").click();
  await page.getByRole("alert").filter({ hasText: "at most 0.20" }).waitFor();
  assert.deepEqual(await stepsOf(page), ALL_DONE, "nothing was sent");

  await first.fill("0.15");
  await button(page, "Submit").click();
  const wrong = await historyWith(page, "task_id");
  assert.equal(wrong.status, "config_error");
  await page.getByRole("status").filter({ hasText: "not the amounts that arrived" }).waitFor();
  await visit.picture("fas-2-wrong-amounts", { fullPage: true });

  await page.evaluate(() => (document.querySelector("#history").textContent = ""));
  await first.fill("0.1");
  await button(page, "Submit").click();
  const right = await historyWith(page, "task_id");
  assert.equal(right.status, "done");
  assert.equal(right.account_switch.micro_deposits_required, false);
  await page.getByRole("status").filter({ hasText: "The amounts are right" }).waitFor();
  assert.equal(await first.isVisible(), false, "nothing is left to be sent");
  assert.deepEqual(await stepsOf(page), ALL_DONE);
  await visit.picture("fas-3-done", { fullPage: true });
  await visit.end();
});
