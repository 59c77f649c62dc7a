// The dashboard from its first start on, by keyboard alone: owner, key, `.env`, the quickstart's flow, and what is seen of it.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import http from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { after, before, test } from "node:test";
import { complaints } from "./axe.mjs";
import { button, dashboardOf, follow, link, nextCode, press, setUpOwner, write } from "./member.mjs";
import { discard, prepare, start } from "./stack.mjs";
import { closeBrowser, newVisit, openBrowser, tabTo } from "./visit.mjs";
import { WORK_MS, connect, connectByKeyboard, chooseEmployer, search, signIn, waitForView } from "./widget.mjs";

let place, stack, receiver;
const deliveries = [];
before(async () => {
  await openBrowser();
  place = await prepare();
  stack = await start(place);
  receiver = http.createServer((request, response) => {
    let body = "";
    request.on("data", (data) => (body += data));
    request.on("end", () => {
      deliveries.push(JSON.parse(body));
      response.end("taken");
    });
  });
  await new Promise((resolve) => receiver.listen(0, "127.0.0.1", resolve));
});
after(async () => {
  receiver?.close();
  await stack?.stop();
  await closeBrowser();
  await discard(place);
});

async function until(happens, what) {
  for (const end = Date.now() + WORK_MS; Date.now() < end; await pause(50)) if (await happens()) return;
  assert.fail(what());
}

/** Presses a button that may ask for the second factor first, and then once more. `folded`: the words that it is folded behind. */
async function act(page, app, find, folded) {
  const unfold = async () => folded && press(page, page.locator("summary", { hasText: folded }));
  const before = page.url();
  await unfold();
  await follow(page, find());
  if (!new URL(page.url()).pathname.startsWith("/code")) return;
  await write(page, "Code", await nextCode(app));
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  assert.equal(page.url(), before);
  await unfold();
  await follow(page, find());
}

/** No page of these has a serious complaint, in the light and in the dark. */
async function assertAccessible(page, name) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    const found = (await complaints(page)).filter((line) => /^(serious|critical) /.test(line));
    assert.deepEqual(found, [], `${name}, ${colorScheme}`);
  }
}

let visit, app, home;

test("first start, owner, key, .env, flow, its line, its webhook again, the link's end", async () => {
  visit = await newVisit();
  const { page } = visit;
  await page.goto(dashboardOf(stack));
  await assertAccessible(page, "sign-in");
  app = await setUpOwner(page, stack, (name) => assertAccessible(page, name));
  await follow(page, link(page, "I have kept them"));
  home = page.url();
  await visit.picture("dashboard-start", { fullPage: true });

  await follow(page, link(page, "API keys"));
  await page.getByRole("heading", { name: "API keys", level: 1 }).waitFor();
  await write(page, "Name", "First steps");
  await act(page, app, () => button(page, "Create key"));
  const lines = await page.locator("#env").textContent();
  await visit.picture("dashboard-key", { fullPage: true });
  assert.match(lines, /^API_CLIENT_ID=\S+\nAPI_SECRET=sandbox-\S+\n/);
  const own = await readFile(place.envFile, "utf8");
  const secret = /^API_SECRET=(\S+)$/m.exec(lines)[1];
  await writeFile(place.envFile, own.replace(/^API_SECRET=.*$/m, `API_SECRET=${secret}`));

  await follow(page, link(page, "Webhooks"));
  await page.getByRole("heading", { name: "Webhooks", level: 1 }).waitFor();
  await write(page, "Name", "Here");
  await write(page, "Address", `http://127.0.0.1:${receiver.address().port}/hook`);
  for (const type of ["task-status-updated", "link-deleted"]) {
    await tabTo(page, page.getByLabel(type, { exact: true }));
    await page.keyboard.press("Space");
  }
  await act(page, app, () => button(page, "Add endpoint"));
  await page.getByRole("heading", { name: "Here", level: 1 }).waitFor();

  // The quickstart starts anew with the key of the page.
  await stack.stop();
  stack = await start(place);
  const flow = await newVisit();
  await connectByKeyboard(flow, stack.url);
  await flow.end();
  await until(() => deliveries.some((event) => event.status === "done"), () => JSON.stringify(deliveries));

  await page.goto(home);
  await follow(page, link(page, "Flows"));
  await follow(page, page.locator("tbody a").first());
  await page.getByRole("heading", { name: "Flow", level: 1 }).waitFor();
  const line = await page.locator("ol.line > li summary").allInnerTexts();
  await visit.picture("dashboard-flow", { fullPage: true });
  const placeOf = (pattern) => line.findIndex((text) => pattern.test(text));
  const order = [/API call POST .*bridge-tokens/, /Screen PROVIDER_LOGIN/, /Task ended done/, /Webhook done/, /Screen SUCCESS/].map(placeOf);
  const [call, login, ended, told, success] = order;
  assert.ok(call === 0 && call < login && login < ended && ended < told && login < success, `${order}\n${line.join("\n")}`);
  await press(page, page.locator("ol.line > li summary").first());
  const opened = page.locator("ol.line > li").first();
  await opened.getByText("curl", { exact: false }).first().waitFor();
  const curl = await opened.innerText();
  assert.ok(curl.includes("$API_SECRET") && !curl.includes(secret), curl);

  await follow(page, link(page, "Webhooks"));
  await follow(page, link(page, "Here"));
  const again = page.getByRole("button", { name: /^Send event .+ again/ }).first();
  const id = /Send event (\S+) again/.exec(await again.getAttribute("aria-label"))[1];
  const sent = () => deliveries.filter((event) => event.webhook_id === id || event.event_id === id || event.id === id).length;
  const before = sent();
  await act(page, app, () => again);
  await until(() => sent() > before, () => `${id}: ${JSON.stringify(deliveries)}`);
  await visit.picture("dashboard-webhook", { fullPage: true });

  await follow(page, link(page, "Logs"));
  await page.getByRole("heading", { name: "Logs", level: 1 }).waitFor();
  await follow(page, link(page, "Tasks"));
  await page.getByRole("heading", { name: "Tasks", level: 1 }).waitFor();
  await follow(page, link(page, "Links"));
  await page.getByRole("heading", { name: "Links", level: 1 }).waitFor();
  await follow(page, page.locator("tbody a").first());
  await visit.picture("dashboard-link", { fullPage: true });
  const found = page.url();
  await act(page, app, () => button(page, "Delete link"), "Delete the link");
  assert.equal((await page.request.get(found)).status(), 404);
  await until(() => deliveries.some((event) => event.event_type === "link-deleted"), () => JSON.stringify(deliveries.at(-1)));
  await visit.assertClean();
});

test("no page of the dashboard has a serious complaint of axe, in the light and in the dark", async () => {
  const { page } = visit;
  // Something to look at.
  const flow = await newVisit();
  await connectByKeyboard(flow, stack.url);
  await flow.end();
  const pages = ["", "keys", "links", "tasks", "flows", "webhooks", "logs", "sandbox", "usage", "audit"].map((name) => home + name);
  for (const list of ["links", "flows", "webhooks", "logs"]) {
    await page.goto(home + list);
    pages.push(await page.locator("tbody a").first().evaluate((anchor) => anchor.href));
  }
  pages.push(...["account", "members", "audit", "code", "nothing-here"].map((name) => `${dashboardOf(stack)}/${name}`));
  for (const url of pages) {
    await page.goto(url);
    await assertAccessible(page, url);
    await visit.picture(`dark-${new URL(url).pathname.split("/").slice(4).join("-").slice(0, 20) || "start"}`, { fullPage: true });
    await page.emulateMedia({ colorScheme: "light" });
  }
});

test("no screen of the quickstart and its widget has a serious complaint of axe, in the light and in the dark", async () => {
  for (const colorScheme of ["light", "dark"]) {
    const other = await newVisit({ colorScheme });
    const { page } = other;
    await page.goto(stack.url);
    const check = async (name) => {
      const found = (await complaints(page)).filter((line) => /^(serious|critical) /.test(line));
      assert.deepEqual(found, [], `${name}, ${colorScheme}`);
    };
    await check("quickstart");
    const frame = await connect(other, stack.url);
    await search(frame).waitFor();
    await check("search");
    await chooseEmployer(other, frame);
    await check("sign-in");
    await signIn(frame, "goodlogin", "wrongpassword");
    await waitForView(other, ["PROVIDER_LOGIN_ERROR", "LOGIN_ERROR", "ERROR", "PROVIDER_LOGIN"]);
    await check("after a wrong password");
    await other.context.close();
  }
});

test("a passkey of this browser is a second factor", async () => {
  const { page, context } = visit;
  const session = await context.newCDPSession(page);
  await session.send("WebAuthn.enable");
  await session.send("WebAuthn.addVirtualAuthenticator", {
    options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
  await page.goto(`${dashboardOf(stack)}/code?next=/account`);
  await write(page, "Code", await nextCode(app));
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  await Promise.all([page.waitForURL(/done=passkey/), press(page, button(page, "Create passkey"))]);
  await page.getByRole("cell", { name: "My passkey", exact: true }).waitFor();
  await page.goto(`${dashboardOf(stack)}/code?next=/members`);
  await Promise.all([page.waitForURL(/\/members$/), press(page, button(page, "Use a passkey"))]);
  await page.getByRole("heading", { name: "Members", level: 1 }).waitFor();
  await visit.end();
});
