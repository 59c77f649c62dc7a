// The steps of a person in the widget that only some products have, by their accessible names.
import { button, password, search, username, waitForView } from "./widget.mjs";

// What the sandbox takes for every provider: published, so not a secret.
export const API_KEY = "Skx8LTnyrLiw4SYk8xfkRwOt5OGQbNulypqdsqd";

export const apiKey = (frame) => frame.getByLabel("API key", { exact: true });

/** `admin` and `fas` begin with the list of providers, each of which is a button with its name. */
export async function chooseProvider(visit, frame, name) {
  await waitForView(visit, ["PROVIDER_LIST"]);
  await frame.getByRole("button", { name }).first().click();
  await apiKey(frame).or(username(frame)).first().waitFor();
}

/** Signs in with the key where one is asked for, and with the sandbox's login elsewhere. */
export async function signInAsCompany(frame) {
  if (await apiKey(frame).isVisible()) {
    await apiKey(frame).fill(API_KEY);
  } else {
    await username(frame).fill("goodlogin");
    await password(frame).fill("goodpassword");
  }
  await button(frame, "Sign in").click();
}

export async function confirmAccount(frame) {
  await button(frame, "Confirm").click();
}

/** `deposit_switch` and `pll`: from the search over the account to the sign-in form. */
export async function chooseEmployerAndConfirm(visit, frame, query = "Facebook") {
  await search(frame).fill(query);
  await frame.getByRole("option").filter({ hasText: query }).first().click();
  if ((await waitForView(visit, ["PROVIDER_LIST", "DEPOSIT_CONFIRM"])) === "PROVIDER_LIST") {
    await frame.getByRole("listitem").getByRole("button").first().click();
  }
  await confirmAccount(frame);
  await username(frame).waitFor();
}

/** The raw JSON on the page, once it holds the key that this answer and none before it has. */
export async function historyWith(page, key, timeout = 60_000) {
  const holds = (wanted) => document.querySelector("#history").textContent.includes(`"${wanted}"`);
  await page.waitForFunction(holds, key, { timeout });
  return JSON.parse(await page.locator("#history").textContent());
}

/** Each of the eleven steps as the page tells it: done, running, failed. */
export function stepsOf(page) {
  return page.locator("#steps > li").evaluateAll((items) => items.map((item) => item.dataset.state));
}

export const ALL_DONE = Array(11).fill("done");
