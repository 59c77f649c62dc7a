// The consumer's own page, from the last screen of the widget: what it says, and that it can be used by keyboard, without
// script, in the dark and on a telephone.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { complaints } from "./axe.mjs";
import { discard, prepare, start } from "./stack.mjs";
import { WORK_MS, button, chooseEmployer, connect, finish, signIn } from "./widget.mjs";
import { closeBrowser, newVisit, openBrowser } from "./visit.mjs";

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

/** Somebody who has connected, and the address of their page. */
async function connected() {
  const visit = await newVisit();
  const frame = await connect(visit, stack.url);
  await chooseEmployer(visit, frame);
  await signIn(frame, "goodlogin", "goodpassword");
  const link = frame.getByRole("link", { name: "See or stop what you share" });
  await link.waitFor({ timeout: WORK_MS });
  const [page] = await Promise.all([visit.context.waitForEvent("page"), link.click()]);
  await page.getByRole("heading", { name: "Your payroll data" }).waitFor();
  return { visit, frame, page };
}

test("p20, p21: the last screen leads to a page that tells and stops, by keyboard", async () => {
  const { visit, frame, page } = await connected();
  assert.match(page.url(), /^http:\/\/127\.0\.0\.1:\d+\/your-data\/[0-9a-f]{64}$/);
  assert.equal(await page.evaluate(() => document.referrer), "");
  const text = await page.locator("main").innerText();
  for (const words of ["Sharing is on.", "To verify your income", "Social Security number"]) assert.ok(text.includes(words), `${words}: ${text}`);
  assert.deepEqual(await complaints(page), []);

  await page.getByRole("link", { name: "Stop sharing" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: /^Stop sharing with .+\?$/ }).waitFor();
  assert.deepEqual(await complaints(page), []);
  await page.getByRole("button", { name: "Stop sharing" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("status").filter({ hasText: "Sharing has stopped." }).waitFor();
  assert.equal(await page.getByRole("link", { name: "Stop sharing" }).count(), 0);
  assert.deepEqual(await complaints(page), []);

  // The widget is where it was.
  await button(frame, "Done").waitFor();
  await page.close();
  await visit.end();
});

test("p22, p24: the file is downloaded, and everything is deleted, in the dark on a telephone without script", async () => {
  const { visit, frame, page } = await connected();
  const url = page.url();
  await finish(visit, frame);
  await page.close();
  await visit.end();

  const other = await newVisit({ viewport: { width: 320, height: 640 }, colorScheme: "dark", javaScriptEnabled: false });
  await other.page.goto(url);
  const width = await other.page.locator("html").boundingBox();
  assert.ok(width.width <= 320, `${width.width}`);
  await other.picture("your-data-dark", { fullPage: true });

  const [download] = await Promise.all([other.page.waitForEvent("download"), other.page.getByRole("button", { name: "Download my file" }).click()]);
  const file = JSON.parse(readFileSync(await download.path(), "utf8"));
  assert.equal(file.receipts.length, 1);
  assert.match(file.values.income.employments[0].profile.ssn, /^\*{5}\d{4}$/);

  await other.page.getByRole("button", { name: "Dispute this data" }).click();
  await other.page.getByRole("button", { name: "Take the dispute back" }).waitFor();
  await other.page.getByRole("link", { name: "Delete my data" }).click();
  await other.page.getByRole("button", { name: "Delete my data" }).click();
  await other.page.getByRole("status").filter({ hasText: "Your data is deleted." }).waitFor();
  await other.context.close();
});
