// The steps of a person in the widget, by the accessible names that the design promises.
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { hasFocus, tabTo } from "./visit.mjs";

export const EMPLOYER = "Facebook";
export const WORK_MS = 30_000;

export const frameOf = (page) => page.frameLocator('iframe[title="Citadel Bridge"]');
export const connectButton = (page) => page.getByRole("button", { name: "Connect", exact: true });
export const search = (frame) => frame.getByRole("combobox", { name: "Search for your employer" });
export const username = (frame) => frame.getByRole("textbox", { name: "Username", exact: true });
// A password field has no role of its own; its label is the handle.
export const password = (frame) => frame.getByLabel("Password", { exact: true });
export const code = (frame) => frame.getByRole("textbox", { name: "Code", exact: true });
export const button = (frame, name) => frame.getByRole("button", { name, exact: true });

/** Opens the quickstart page and presses Connect. */
export async function connect(visit, url) {
  await visit.page.goto(url);
  await connectButton(visit.page).click();
  return frameOf(visit.page);
}

/** From the search to the sign-in form of the employer's first provider. */
export async function chooseEmployer(visit, frame, query = EMPLOYER) {
  await search(frame).fill(query);
  await frame.getByRole("option").filter({ hasText: query }).first().click();
  await reachSignIn(visit, frame);
}

/** An employer with several providers shows a list first; which one is taken makes no difference in the sandbox. */
async function reachSignIn(visit, frame) {
  const view = await waitForView(visit, ["PROVIDER_LIST", "PROVIDER_LOGIN"]);
  if (view === "PROVIDER_LIST") await frame.getByRole("listitem").getByRole("button").first().click();
  await username(frame).waitFor();
}

/** Waits until the screen on show is one of `names`, and says which. */
export async function waitForView(visit, names) {
  for (const end = Date.now() + WORK_MS; Date.now() < end; await pause(50)) {
    const view = (await visit.calls()).filter((call) => call.payload?.view_name).at(-1)?.payload.view_name;
    if (names.includes(view)) return view;
  }
  throw new Error(`none of the views ${names} was shown: ${await visit.story()}`);
}

export async function signIn(frame, user, secret) {
  await username(frame).fill(user);
  await password(frame).fill(secret);
  await button(frame, "Sign in").click();
}

export async function finish(visit, frame) {
  const done = button(frame, "Done");
  await done.waitFor({ timeout: WORK_MS });
  await leaveBy(visit, done);
}

/** Clicks what takes the frame away. The browser may never confirm that click, because the frame that got it is gone. */
export async function leaveBy(visit, locator) {
  await locator.hover();
  await visit.page.mouse.down();
  visit.page.mouse.up().catch(() => {});
}

export function leaveByKey(visit, key) {
  visit.page.keyboard.press(key).catch(() => {});
}

/** The raw JSON that the page shows once it has an answer: the report's employments. */
export async function history(page) {
  await page.waitForFunction(() => {
    try {
      JSON.parse(document.querySelector("#history").textContent);
      return true;
    } catch {
      return false;
    }
  });
  return JSON.parse(await page.locator("#history").textContent());
}

/** Waits for a callback or event by its name in the story. */
export async function waitForCall(visit, wanted, timeout = WORK_MS) {
  for (const end = Date.now() + timeout; Date.now() < end; await pause(50)) {
    if ((await visit.story()).includes(wanted)) return;
  }
  throw new Error(`${wanted} was never called: ${await visit.story()}`);
}

/** From the first screen of a widget to its sign-in form, whatever page it stands in: an employer that the token names is not
 * searched for. */
export async function chooseEmployerIn(frame, query = EMPLOYER) {
  const first = search(frame).or(username(frame)).or(frame.getByRole("heading", { name: /sign in|provider/i }));
  await first.first().waitFor({ timeout: WORK_MS });
  if (await search(frame).count()) {
    await search(frame).fill(query);
    await frame.getByRole("option").filter({ hasText: query }).first().click();
  }
  const provider = frame.getByRole("listitem").getByRole("button").first();
  await username(frame).or(provider).first().waitFor({ timeout: WORK_MS });
  if (!(await username(frame).count())) await provider.click();
  await username(frame).waitFor();
}

/** Presses Done, and does not wait for a click that takes its own frame away. */
export async function finishIn(frame) {
  const done = button(frame, "Done");
  await done.waitFor({ timeout: WORK_MS });
  await done.click({ noWaitAfter: true }).catch(() => {});
}

/** The whole flow of the quickstart's page without a pointer. */
export async function connectByKeyboard(visit, url) {
  const { page } = visit;
  const { keyboard } = page;
  await page.goto(url);
  const frame = frameOf(page);

  await tabTo(page, connectButton(page));
  await keyboard.press("Enter");

  await tabTo(page, search(frame));
  await keyboard.type("Facebook");
  await frame.getByRole("option").filter({ hasText: "Facebook" }).first().waitFor();
  // An answer to an earlier letter may come later and take the choice away with its list.
  const chosen = frame.locator('[role=option][aria-selected="true"]');
  for (const end = Date.now() + WORK_MS; Date.now() < end && (await chosen.count()) === 0; await pause(200)) {
    await keyboard.press("ArrowDown");
  }
  await chosen.waitFor();
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
}
