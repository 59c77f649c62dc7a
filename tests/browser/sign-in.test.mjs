// Everything that can happen between the sign-in form and the end of an attempt.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { discard, prepare, start } from "./stack.mjs";
import { button, chooseEmployer, code, connect, finish, history, leaveBy, password, signIn, username, waitForCall } from "./widget.mjs";
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

/** A visitor who looks at the sign-in form. */
async function atSignIn() {
  const visit = await newVisit();
  const frame = await connect(visit, stack.url);
  await chooseEmployer(visit, frame);
  return { visit, frame };
}

const taskIds = (calls, type) => calls.filter((call) => call.type === type).map((call) => call.payload.task_id);

test("row 15: a wrong password is said beside the form, and the right one then works", async () => {
  const { visit, frame } = await atSignIn();
  await signIn(frame, "goodlogin", "wrongpassword");
  await waitForCall(visit, "ERROR(LOGIN_ERROR)");
  await frame.getByRole("alert").filter({ hasText: /\w/ }).waitFor();
  await visit.picture("wrong-password");
  assert.equal(await username(frame).inputValue(), "goodlogin", "the user name stays");
  assert.equal(await password(frame).inputValue(), "", "the password does not");
  assert.ok(!(await visit.story()).some((entry) => ["onClose", "onSuccess", "CLOSE"].includes(entry)));

  await signIn(frame, "goodlogin", "goodpassword");
  await finish(visit, frame);
  assert.ok(await history(visit.page));

  const calls = await visit.calls();
  const created = taskIds(calls, "LINK_CREATED");
  assert.equal(new Set(created).size, 2, "one task for each attempt");
  assert.deepEqual(taskIds(calls, "ERROR"), [created[0]]);
  assert.deepEqual(taskIds(calls, "SUCCESS"), [created[1]]);
  await visit.end();
});

test("an empty form is not sent", async () => {
  const { visit, frame } = await atSignIn();
  await button(frame, "Sign in").click();
  await frame.getByRole("alert").filter({ hasText: /\w/ }).waitFor();
  assert.ok(!(await visit.story()).includes("LINK_CREATED"));
  await visit.end();
});

test("row 15: a code is asked for, and the right one works", async () => {
  const { visit, frame } = await atSignIn();
  await signIn(frame, "goodlogin", "mfa");
  await code(frame).fill("12345");
  await visit.picture("code");
  await button(frame, "Continue").click();
  await finish(visit, frame);
  assert.ok(await history(visit.page));
  await visit.end();
});

test("row 15: a wrong code is an error that leaves a way on", async () => {
  const { visit, frame } = await atSignIn();
  await signIn(frame, "goodlogin", "mfa");
  await code(frame).fill("54321");
  await button(frame, "Continue").click();
  await waitForCall(visit, "ERROR(MFA_ERROR)");
  await visit.picture("wrong-code");

  // Either the code may be tried again or the sign-in starts over; both end well.
  await username(frame).or(code(frame)).first().waitFor();
  if (await username(frame).isVisible()) await signIn(frame, "goodlogin", "mfa");
  await code(frame).fill("12345");
  await button(frame, "Continue").click();
  await finish(visit, frame);
  assert.ok(await history(visit.page));
  await visit.end();
});

// Task status asked for as the password of `error.user`, and the error code that a host is told.
const ENDINGS = {
  login_error: "LOGIN_ERROR",
  mfa_error: "MFA_ERROR",
  config_error: "ERROR",
  account_locked: "ERROR",
  no_data: "NO_DATA",
  unavailable: "UNAVAILABLE",
  error: "ERROR",
  unable_to_reset: "ERROR",
};
for (const [status, expected] of Object.entries(ENDINGS)) {
  test(`row 15: an attempt that ends with ${status} tells the host ${expected}`, async () => {
    const { visit, frame } = await atSignIn();
    await signIn(frame, "error.user", status);
    await waitForCall(visit, `ERROR(${expected})`);

    const { error } = (await visit.calls()).find((call) => call.type === "ERROR").payload;
    assert.equal(error.error_type, "LINK_ERROR");
    assert.ok(error.error_message);
    const isFormAgain = ["login_error", "mfa_error"].includes(status);
    if (isFormAgain) await username(frame).waitFor();
    else await waitForCall(visit, "SCREEN_VIEW(ERROR)");
    await visit.picture(`status-${status}`);

    await leaveBy(visit, button(frame, "Close"));
    await waitForCall(visit, "CLOSE");
    assert.deepEqual((await visit.story()).slice(-2), ["onClose", "CLOSE"]);
    await visit.end();
  });
}

for (const [user, secret] of [["goodlogin.tn1", "goodpassword"], ["goodlogin.tn2", "goodpassword"], ["goodlogin", "longcheck"]]) {
  test(`row 15: ${user} / ${secret} ends well`, async () => {
    const { visit, frame } = await atSignIn();
    await signIn(frame, user, secret);
    await finish(visit, frame);
    assert.ok((await history(visit.page))[0].company.name);
    await visit.end();
  });
}
