// Every way out before the end: one callback, then CLOSE, and a host page as it was before.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { discard, prepare, start } from "./stack.mjs";
import { button, chooseEmployer, connect, connectButton, frameOf, history, leaveBy, leaveByKey, search, signIn, username, waitForCall } from "./widget.mjs";
import { closeBrowser, newVisit, openBrowser } from "./visit.mjs";

// What the seed's page shows when somebody leaves without success.
const NOTHING = [{ company: { address: {} } }];

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

async function assertLeft(visit) {
  await waitForCall(visit, "CLOSE");
  const story = await visit.story();
  assert.deepEqual(story.slice(-2), ["onClose", "CLOSE"]);
  assert.equal(story.filter((entry) => ["onClose", "onSuccess", "CLOSE"].includes(entry)).length, 2);
  assert.deepEqual(await history(visit.page), NOTHING);
  assert.equal(await visit.page.locator("iframe").count(), 0, "the frame is gone");
  assert.equal(await visit.page.evaluate(() => document.documentElement.style.overflow + document.body.style.overflow), "");
  await visit.end();
}

test("Close at the employer search", async () => {
  const visit = await newVisit();
  await leaveBy(visit, button(await connect(visit, stack.url), "Close"));
  await assertLeft(visit);
});

test("Close at the sign-in form, half filled in", async () => {
  const visit = await newVisit();
  const frame = await connect(visit, stack.url);
  await chooseEmployer(visit, frame);
  await username(frame).fill("goodlogin");
  await leaveBy(visit, button(frame, "Close"));
  await assertLeft(visit);
});

test("Close while the task runs", async () => {
  const visit = await newVisit();
  const frame = await connect(visit, stack.url);
  await chooseEmployer(visit, frame);
  await signIn(frame, "goodlogin", "longcheck");
  await waitForCall(visit, "LINK_CREATED");
  await leaveBy(visit, button(frame, "Close"));
  await assertLeft(visit);
});

test("Esc leaves at once when nothing was typed, and gives the focus back", async () => {
  const visit = await newVisit();
  const frame = await connect(visit, stack.url);
  await search(frame).waitFor();
  leaveByKey(visit, "Escape");
  await waitForCall(visit, "CLOSE");
  assert.ok(await connectButton(visit.page).evaluate((element) => element === document.activeElement));
  await assertLeft(visit);
});

test("Esc asks first when a sign-in was typed", async () => {
  const visit = await newVisit();
  const frame = await connect(visit, stack.url);
  await chooseEmployer(visit, frame);
  await username(frame).fill("goodlogin");
  await visit.page.keyboard.press("Escape");
  const question = frame.getByRole("alertdialog");
  await question.waitFor();
  await visit.picture("leave-question");
  await question.getByRole("button", { name: "Stay" }).click();
  assert.equal(await username(frame).inputValue(), "goodlogin");

  await visit.page.keyboard.press("Escape");
  await leaveBy(visit, question.getByRole("button", { name: "Leave" }));
  await assertLeft(visit);
});

test("the page's own close() is a way out too, and a second one is silent", async () => {
  const visit = await newVisit();
  await search(await connect(visit, stack.url)).waitFor();
  await visit.page.evaluate(() => {
    window.bridge.close();
    window.bridge.close();
  });
  await assertLeft(visit);
});

test("open() twice shows one frame", async () => {
  const visit = await newVisit();
  const frame = await connect(visit, stack.url);
  await visit.page.evaluate(() => {
    window.bridge.open();
    window.bridge.open();
  });
  await search(frame).waitFor();
  assert.equal(await visit.page.locator("iframe").count(), 1);
  assert.equal((await visit.story()).filter((entry) => entry === "onLoad").length, 1);
  await leaveBy(visit, button(frame, "Close"));
  await assertLeft(visit);
});

test("every open() loads afresh", async () => {
  const visit = await newVisit();
  const frame = await connect(visit, stack.url);
  await leaveBy(visit, button(frame, "Close"));
  await waitForCall(visit, "CLOSE");
  await visit.page.evaluate(() => {
    window.__calls.splice(0);
    window.bridge.open();
  });
  await search(frameOf(visit.page)).waitFor();
  await waitForCall(visit, "SCREEN_VIEW(SELECT_EMPLOYER)");
  assert.deepEqual((await visit.story()).slice(0, 2), ["onLoad", "LOAD"]);
  await leaveBy(visit, button(frame, "Close"));
  await assertLeft(visit);
});
