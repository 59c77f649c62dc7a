// The server is killed in the middle of somebody's task and started again.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { discard, isListening, prepare, start } from "./stack.mjs";
import { button, chooseEmployer, connect, history, leaveBy, signIn, waitForCall } from "./widget.mjs";
import { closeBrowser, newVisit, openBrowser } from "./visit.mjs";

// A lease of the killed process may have to run out before the task is taken up again.
const RECOVERY_MS = 180_000;

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

test("a task that was running ends, and the widget that waited for it goes on", async () => {
  const visit = await newVisit();
  const frame = await connect(visit, stack.url);
  await chooseEmployer(visit, frame);
  await signIn(frame, "goodlogin", "longcheck");
  await waitForCall(visit, "LINK_CREATED");
  await frame.getByRole("heading", { name: "Connecting" }).waitFor();

  process.kill(stack.pidOf("citadel"), "SIGKILL");
  const end = await stack.end();
  assert.notEqual(end.status, 0, "half a product is a failure");
  assert.equal(await isListening(place.ports.quickstart), false, "the sample app was stopped too");
  await frame.getByText("Reconnecting").waitFor();
  await visit.picture("restart-1-lost");

  stack = await start(place);
  const done = button(frame, "Done");
  await done.waitFor({ timeout: RECOVERY_MS });
  await visit.picture("restart-2-recovered");
  await leaveBy(visit, done);
  const story = await visit.story();
  assert.equal(story.filter((entry) => entry === "LINK_CREATED").length, 1, "it was the same attempt");
  assert.ok(!story.some((entry) => entry.startsWith("ERROR")));
  const [employment] = await history(visit.page);
  assert.ok(employment.statements.length > 0);
  await visit.end();
});
