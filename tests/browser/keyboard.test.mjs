// The whole flow without a pointer.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { discard, prepare, start } from "./stack.mjs";
import { button, connectButton, frameOf, history, leaveByKey, password, search, username, waitForView, WORK_MS } from "./widget.mjs";
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

const hasFocus = (locator) => locator.evaluate((element) => element === element.ownerDocument.activeElement);

/** Presses Tab until the element has the focus. */
async function tabTo(page, locator) {
  await locator.waitFor();
  for (let stop = 0; stop < MOST_STOPS; stop += 1) {
    if (await hasFocus(locator)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`Tab never reached ${locator}`);
}

test("Connect to data with the keyboard alone", async () => {
  const visit = await newVisit();
  const { page } = visit;
  const { keyboard } = page;
  await page.goto(stack.url);
  const frame = frameOf(page);

  await tabTo(page, connectButton(page));
  await keyboard.press("Enter");

  await tabTo(page, search(frame));
  await keyboard.type("Facebook");
  const option = frame.getByRole("option").first();
  await option.waitFor();
  await keyboard.press("ArrowDown");
  await frame.locator('[role=option][aria-selected="true"]').waitFor();
  await visit.picture("keyboard-search");
  await keyboard.press("Enter");

  if ((await waitForView(visit, ["PROVIDER_LIST", "PROVIDER_LOGIN"])) === "PROVIDER_LIST") {
    await tabTo(page, frame.getByRole("listitem").getByRole("button").first());
    await keyboard.press("Enter");
  }

  await username(frame).waitFor();
  // A screen change moves the focus to the new heading, so that a screen reader starts there.
  assert.ok(await hasFocus(frame.getByRole("heading", { level: 1 })));
  await tabTo(page, username(frame));
  await keyboard.type("goodlogin");
  await tabTo(page, password(frame));
  await keyboard.type("goodpassword");
  await visit.picture("keyboard-sign-in");
  await keyboard.press("Enter");

  const done = button(frame, "Done");
  await done.waitFor({ timeout: WORK_MS });
  await tabTo(page, done);
  await visit.picture("keyboard-success");
  leaveByKey(visit, "Enter");
  assert.ok(await history(page));
  assert.ok(await hasFocus(connectButton(page)), "the focus is back where it came from");
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
