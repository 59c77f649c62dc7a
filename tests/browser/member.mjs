// A member of the dashboard, who has an authenticator app and uses the keyboard alone.
import { createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { tabTo } from "./visit.mjs";

const PASSWORD = "correct-zebra-umbrella-92";
const STEP_MS = 30_000;

export const dashboardOf = (stack) => `http://localhost:${stack.place.ports.dashboard}`;
export const link = (page, name) => page.getByRole("link", { name, exact: true }).first();
export const button = (page, name) => page.getByRole("button", { name, exact: true });

/** Goes to a control by Tab and presses it. */
export async function press(page, locator) {
  await tabTo(page, locator);
  await page.keyboard.press("Enter");
}

/** The same, where that loads another page. */
export async function follow(page, locator) {
  await tabTo(page, locator);
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
}

/** Goes to a field by Tab and writes into it. */
export async function write(page, label, text) {
  const field = page.getByLabel(label, { exact: true });
  await tabTo(page, field);
  await page.keyboard.type(text);
}

/** The first owner, from the set-up code to the recovery codes; `look` looks at each page. Answers what codes are made of. */
export async function setUpOwner(page, stack, look = async () => {}) {
  await page.goto(`${dashboardOf(stack)}/`);
  await follow(page, link(page, "Set up this Citadel"));
  await look("set-up");
  const code = (await readFile(path.join(stack.place.dir, "data", "setup-code"), "utf8")).trim();
  await write(page, "Set-up code", code);
  await write(page, "Your name", "Ada Owner");
  await write(page, "E-mail address", "ada@example.com");
  await write(page, "Password", PASSWORD);
  await page.keyboard.press("Enter");
  const seed = page.locator("code.seed");
  await seed.waitFor();
  await look("factor");
  const app = { seed: (await seed.textContent()).replaceAll(/\s/g, ""), last: 0 };
  await write(page, "Code", await nextCode(app));
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Recovery codes" }).waitFor();
  await look("recovery codes");
  return app;
}

/** Six digits of the authenticator app that were not used before. */
export async function nextCode(app) {
  let step = Math.floor(Date.now() / STEP_MS);
  if (step <= app.last) {
    await pause((app.last + 1) * STEP_MS - Date.now() + 100);
    step = app.last + 1;
  }
  app.last = step;
  return totp(app.seed, step);
}

function totp(seed, step) {
  const bits = [...seed].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const tag = createHmac("sha1", key).update(counter).digest();
  const number = tag.readUInt32BE(tag[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}
