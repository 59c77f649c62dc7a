// The whole flow without a pointer.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { discard, prepare, start } from "./stack.mjs";
import { connectButton, connectByKeyboard, frameOf, search } from "./widget.mjs";
import { closeBrowser, newVisit, openBrowser } from "./visit.mjs";

const MOST_STOPS = 30;

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

test("Connect to data with the keyboard alone", async () => {
  const visit = await newVisit();
  await connectByKeyboard(visit, stack.url);
  await visit.end();
});

test("Tab stays inside the widget", async () => {
  const visit = await newVisit();
  const { page } = visit;
  await page.goto(stack.url);
  await connectButton(page).click();
  await search(frameOf(page)).waitFor();
  for (const key of ["Tab", "Shift+Tab"]) {
    for (let stop = 0; stop < MOST_STOPS; stop += 1) {
      await page.keyboard.press(key);
      assert.equal(await page.evaluate(() => document.activeElement.tagName), "IFRAME");
    }
  }
  await visit.end();
});
