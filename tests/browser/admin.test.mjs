// A company's administrator connects its payroll: the directory and the payroll register on the page.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ALL_DONE, apiKey, chooseProvider, historyWith, signInAsCompany, stepsOf } from "./company.mjs";
import { discard, prepare, start } from "./stack.mjs";
import { closeBrowser, newVisit, openBrowser } from "./visit.mjs";
import { button, connect, finish, waitForCall } from "./widget.mjs";

let place, stack;
before(async () => {
  await openBrowser();
  place = await prepare("admin");
  stack = await start(place);
});
after(async () => {
  await stack?.stop();
  await closeBrowser();
  await discard(place);
});

test("row 15: a wrong API key is said beside the form, and the right one then works", async () => {
  const visit = await newVisit();
  const frame = await connect(visit, stack.url);
  await chooseProvider(visit, frame, "ADP");
  await apiKey(frame).fill("not-the-key");
  await button(frame, "Sign in").click();
  await waitForCall(visit, "ERROR(LOGIN_ERROR)");
  await frame.getByRole("alert").filter({ hasText: "not accepted" }).waitFor();
  await signInAsCompany(frame);
  await finish(visit, frame);
  assert.ok((await historyWith(visit.page, "payroll")).directory.directory.length > 0);
  await visit.end();
});

test("admin ends with the company's people and payroll on the page", async () => {
  const visit = await newVisit();
  const { page } = visit;
  const frame = await connect(visit, stack.url);
  await chooseProvider(visit, frame, /Bamboo ?HR/);
  await visit.picture("admin-1-sign-in");
  await signInAsCompany(frame);
  await finish(visit, frame);

  const { directory, payroll } = await historyWith(page, "payroll");
  assert.ok(directory.directory.length > 0 && directory.directory.every((person) => person.full_name));
  assert.equal(payroll.status, "done");
  assert.ok(payroll.payroll_report.every((row) => row.pay_date >= "2020-01-01" && row.pay_date <= "2020-02-01"));
  assert.ok(payroll.payroll_report.length > 0, "the days of the first quickstart always hold a payroll");
  assert.deepEqual(await stepsOf(page), ALL_DONE);
  await visit.picture("admin-2-data", { fullPage: true });

  const rows = page.getByRole("table", { name: "People" }).getByRole("row");
  const showAll = button(page, `Show all ${directory.directory.length}`);
  if (await showAll.count()) await showAll.click();
  assert.equal(await rows.count(), directory.directory.length + 1, "everybody, and the headings");

  await page.evaluate(() => (document.querySelector("#history").textContent = ""));
  await button(page, "Refresh").click();
  const again = await historyWith(page, "payroll");
  assert.equal(again.directory.refresh_status, "done");
  assert.deepEqual(again.payroll.payroll_report.length, payroll.payroll_report.length);
  assert.deepEqual(await stepsOf(page), ALL_DONE);
  await visit.end();
});
