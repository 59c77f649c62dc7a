// P51 and P52: pages that frame the widget without leave, messages that nobody sent, and scripts in everything that is text.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import http from "node:http";
import { after, before, test } from "node:test";
import { discard, prepare, start } from "./stack.mjs";
import { button, chooseEmployer, connect, finish, frameOf, password, search, signIn, username } from "./widget.mjs";
import { closeBrowser, newVisit, openBrowser } from "./visit.mjs";

let place, stack, keys, evil;
before(async () => {
  await openBrowser(["--host-resolver-rules=MAP *.test 127.0.0.1"]);
  place = await prepare("income");
  stack = await start(place);
  const text = await readFile(place.envFile, "utf8");
  const value = (name) => new RegExp(`^${name}=(.*)$`, "m").exec(text)[1];
  keys = { "X-Access-Client-Id": value("API_CLIENT_ID"), "X-Access-Secret": value("API_SECRET") };
  evil = await serve();
});
after(async () => {
  evil?.server.close();
  await stack?.stop();
  await closeBrowser();
  await discard(place);
});

/** A server whose pages are whatever a test says, under whatever name. */
async function serve() {
  const pages = new Map();
  const server = http.createServer((request, response) => {
    response.setHeader("Content-Type", "text/html");
    response.end(pages.get(request.url) ?? "<p>nothing");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, pages, port: server.address().port };
}

async function call(method, path, body) {
  const headers = { ...keys, "Content-Type": "application/json" };
  const answer = await fetch(`${stack.api}/v1/${path}`, { method, headers, body: body && JSON.stringify(body) });
  assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.json();
}

const newToken = async (more = {}) => (await call("POST", "bridge-tokens/", { product_type: "income", ...more })).bridge_token;
const framed = (src, attributes = "") => `<!doctype html><iframe ${attributes} src="${src.replaceAll('"', "&quot;")}" width=600 height=600></iframe>`;

/** Every frame has loaded, or has been refused. */
async function settled(page) {
  await page.waitForLoadState("load");
  await page.waitForTimeout(400);
}

test("p51 nobody frames the widget or an order without leave", async () => {
  const token = await newToken();
  const order = await call("POST", "orders/", { products: ["income"], employers: [{ company_name: "Home Depot" }] });
  const api = stack.api;
  const widget = (parent) => `${api}/bridge/widget?bridge_token=${token}&parent=${encodeURIComponent(parent)}&v=1`;
  const port = evil.port;
  const page = (name, body) => {
    evil.pages.set(name, body);
    return (host) => `http://${host}:${port}${name}`;
  };
  const plain = page("/plain", framed(widget(`http://evil.test:${port}`)));
  const liar = page("/liar", framed(widget(stack.url)));
  const mobile = page("/mobile", framed(`${api}/mobile.html?bridge_token=${token}`));
  const opaque = page("/opaque", `<!doctype html><iframe sandbox="allow-scripts allow-forms" srcdoc='${framed(widget("null"))}' width=700 height=700></iframe>`);
  const data = page("/data", framed(`data:text/html,${encodeURIComponent(framed(widget("null")))}`));
  const object = page("/object", `<!doctype html><object data="${widget(`http://evil.test:${port}`)}" width=600 height=600></object>`);
  const embed = page("/embed", `<!doctype html><embed src="${widget(`http://evil.test:${port}`)}" width=600 height=600>`);
  const nested = page("/nested", framed(`http://127.0.0.1:${port}/liar`));
  const share = page("/share", framed(order.share_url));
  const short = page("/short", framed(order.short_share_url));
  const orderToken = page("/order", framed(`${api}/bridge/order?bridge_token=${order.employers[0].bridge_token}&parent=x&v=1`));
  const pageToken = page("/page-token", framed(`${api}/bridge/order?bridge_token=${order.share_url.split("/").filter(Boolean).at(-1)}&parent=x&v=1`));
  const attacks = {
    "a page of another host": plain("evil.test"),
    "a host that begins like ours": plain("127.0.0.1.evil.test"),
    "a host that begins like a loopback name": plain("localhost.evil.test"),
    "a host that ends like a loopback name": plain("evil-localhost.test"),
    "a page that claims to be the quickstart": liar("evil.test"),
    "the page for web views, from elsewhere": mobile("evil.test"),
    "the page for web views, from the machine itself": mobile("127.0.0.1"),
    "a frame without an origin": opaque("127.0.0.1"),
    "a page of data": data("127.0.0.1"),
    "an object": object("evil.test"),
    "an embedded page": embed("evil.test"),
    "a good page inside a bad one": nested("evil.test"),
    "an order's page, from the machine itself": share("127.0.0.1"),
    "an order's short address": short("evil.test"),
    "an order by an employer's token, from elsewhere": orderToken("evil.test"),
    "an order by the token of its page": pageToken("127.0.0.1"),
  };
  const visit = await newVisit();
  for (const [name, address] of Object.entries(attacks)) {
    const before = visit.complaints.length;
    await visit.page.goto(address);
    await settled(visit.page);
    const shown = [];
    for (const frame of visit.page.frames().slice(1)) {
      const text = await frame.evaluate(() => document.body?.innerText ?? "").catch(() => "");
      const ours = frame.url().startsWith(api) && text.trim() !== "";
      if (ours) shown.push(`${frame.url()}: ${text}`);
    }
    assert.deepEqual(shown, [], name);
    assert.ok(visit.complaints.length > before, `${name}: the browser refused nothing`);
  }
  await visit.context.close();

  // The same page under an address that has leave does show the widget, so the test can fail.
  const allowed = await newVisit();
  evil.pages.set("/allowed", framed(widget(`http://127.0.0.1:${port}`)));
  await allowed.page.goto(`http://127.0.0.1:${port}/allowed`);
  await settled(allowed.page);
  assert.ok(allowed.page.frames().some((frame) => frame.url().startsWith(api)));
  await allowed.context.close();
});

test("p51 messages that the widget did not send, or was not sent, do nothing", async () => {
  const visit = await newVisit();
  const forged = [
    { v: 1, t: "ready" },
    { v: 1, t: "exit", reason: "user_closed" },
    { v: 1, t: "success", public_token: "0".repeat(32), metadata: {} },
    { v: 1, t: "event", type: "SUCCESS", payload: {} },
    { v: 2, t: "exit" },
    null,
    "exit",
    JSON.stringify({ v: 1, t: "exit" }),
  ];
  evil.pages.set("/forge", `<script>for (const m of ${JSON.stringify(forged)}) { parent.postMessage(m, '*'); top.postMessage(m, '*') }</script>`);
  // A host without a policy of its own, so that the bad page is really there.
  const init = { bridgeToken: await newToken(), onLoad: 0, onEvent: 0, onSuccess: 0, onClose: 0 };
  const callbacks = Object.keys(init).slice(1).map((name) => `${name}: (...args) => {}`);
  evil.pages.set(
    "/host",
    `<!doctype html><script src="${stack.api}/bridge.js"></script><script>
      CitadelBridge.init({ bridgeToken: "${init.bridgeToken}", ${callbacks} }).open()
    </script>`,
  );
  await visit.page.goto(`http://127.0.0.1:${evil.port}/host`);
  const frame = frameOf(visit.page);
  await search(frame).waitFor();
  const before = await visit.story();
  await visit.page.evaluate(
    async ({ forged, address }) => {
      for (const message of forged) window.postMessage(message, "*");
      const other = document.createElement("iframe");
      other.src = address;
      document.body.append(other);
      await new Promise((done) => (other.onload = done));
      // To the widget: a second port, and orders without the first one.
      const target = document.querySelector('iframe[title="Citadel Bridge"]').contentWindow;
      const channel = new MessageChannel();
      window.heard = [];
      channel.port1.onmessage = (event) => window.heard.push(event.data);
      target.postMessage({ v: 1, t: "port", nonce: "n", options: {} }, "*", [channel.port2]);
      target.postMessage({ v: 1, t: "close", nonce: "n" }, "*");
      await new Promise((done) => setTimeout(done, 300));
    },
    { forged, address: `http://evil.test:${evil.port}/forge` },
  );
  assert.ok(visit.page.frames().some((each) => each.url().endsWith("/forge")), "the bad page was there");
  assert.deepEqual(await visit.story(), before);
  assert.deepEqual(await visit.page.evaluate(() => window.heard), []);
  // And the widget still works.
  await chooseEmployer(visit, frame);
  visit.outside.length = 0; // The bad page was asked for on purpose.
  await visit.end();
});

/** 200 texts that are scripts where somebody takes text for markup. */
const SCRIPTS = (() => {
  const run = "self.__ran=1";
  const shapes = [
    (code) => `<script>${code}</script>`,
    (code) => `"><script>${code}</script>`,
    (code) => `<img src=x onerror=${code}>`,
    (code) => `'><img src=x onerror='${code}'>`,
    (code) => `<svg onload=${code}>`,
    (code) => `<svg><script>${code}</script></svg>`,
    (code) => `<iframe srcdoc="<script>${code}</script>"></iframe>`,
    (code) => `<iframe src="javascript:${code}"></iframe>`,
    (code) => `<a href="javascript:${code}">x</a>`,
    (code) => `javascript:${code}`,
    (code) => `<details open ontoggle=${code}>`,
    (code) => `<body onload=${code}>`,
    (code) => `<input autofocus onfocus=${code}>`,
    (code) => `<video><source onerror=${code}></video>`,
    (code) => `<math><mtext><style><img src onerror=${code}></style></mtext></math>`,
    (code) => `</textarea><script>${code}</script>`,
    (code) => `</title><script>${code}</script>`,
    (code) => `<!--><script>${code}</script>`,
    (code) => `{{constructor.constructor('${code}')()}}`,
    (code) => `\${${code}}`,
    (code) => `<object data="data:text/html,<script>${code}</script>">`,
    (code) => `<link rel=stylesheet href="javascript:${code}">`,
    (code) => `<meta http-equiv=refresh content="0;url=javascript:${code}">`,
    (code) => `<form action="javascript:${code}"><button autofocus>x</button></form>`,
    (code) => `&lt;script&gt;${code}&lt;/script&gt;`,
  ];
  const codes = [run, `${run};alert(1)`, `window.__ran=1`, `globalThis.__ran=1`, `eval('${run}')`, `setTimeout('${run}')`, `self['__ran']=1`, `(()=>{${run}})()`];
  return shapes.flatMap((shape) => codes.map(shape));
})();

/** Whether any of them ran, in any frame. */
async function assertNothingRan(visit, what) {
  for (const frame of visit.page.frames()) {
    const ran = await frame.evaluate(() => window.__ran).catch(() => undefined);
    assert.equal(ran, undefined, `${what}: ${frame.url()}`);
  }
}

async function assertKeepsNothing(visit) {
  for (const frame of visit.page.frames().filter((frame) => frame.url().startsWith(stack.api))) {
    const kept = await frame.evaluate(async () => {
      try {
        const caches = "caches" in window ? (await window.caches.keys()).length : 0;
        const databases = (await indexedDB.databases()).length;
        return { storage: localStorage.length + sessionStorage.length, cookie: document.cookie, databases, caches };
      } catch (error) {
        // A frame in a page of another site is refused all of them by the browser.
        return error.name === "SecurityError" && top !== window ? null : String(error);
      }
    });
    if (kept === null) continue;
    assert.deepEqual(kept, { storage: 0, cookie: "", databases: 0, caches: 0 });
  }
}

test("p52 two hundred scripts in each field are text", async () => {
  assert.equal(new Set(SCRIPTS).size, 200);
  const visit = await newVisit();
  visit.page.on("dialog", () => assert.fail("a script ran"));
  const frame = await connect(visit, stack.url);
  await search(frame).waitFor();
  // `shows`: where the page shows what was typed. Waited for each time, or only the last one would ever have been there.
  const type = async (field, what, shows) => {
    for (const script of SCRIPTS) {
      await field.fill(script);
      if (shows) await frame.getByText(`${shows} “${script}”`).first().waitFor();
    }
    await assertNothingRan(visit, what);
  };
  await type(search(frame), "search", "No employer found for");
  await button(frame, "Search by payroll provider instead").click();
  const filter = frame.getByRole("textbox", { name: "Filter payroll providers" });
  await type(filter, "filter", "No provider matches");
  await filter.fill("Gusto");
  await button(frame, "Gusto").click();
  await type(username(frame), "user name");
  await type(password(frame), "password");
  await signIn(frame, SCRIPTS[2].slice(0, 100), SCRIPTS[0].slice(0, 100));
  await frame.getByRole("alert").filter({ hasText: "not accepted" }).waitFor();
  await signIn(frame, "goodlogin", "mfa");
  const code = frame.getByRole("textbox", { name: "Code", exact: true });
  await code.waitFor();
  await type(code, "code");
  await assertKeepsNothing(visit);
  await code.fill("12345");
  await button(frame, "Continue").click();
  await finish(visit, frame);
  await visit.end();
});

test("p52 scripts in what a client sends are text in the widget and on an order's page", async () => {
  // As many as fit into a text, and each of them somewhere.
  const bundles = [];
  for (const script of SCRIPTS) {
    const last = bundles.at(-1);
    if (last !== undefined && last.length + script.length < 900) bundles[bundles.length - 1] = `${last} ${script}`;
    else bundles.push(script);
  }
  const visit = await newVisit();
  visit.page.on("dialog", () => assert.fail("a script ran"));
  for (const text of bundles) {
    const token = await newToken({ client_name: text, tracking_info: text });
    await visit.page.goto(`${stack.api}/mobile.html?bridge_token=${token}`);
    await search(visit.page).waitFor();
    await assertNothingRan(visit, text);
  }
  for (const text of bundles.slice(0, 6)) {
    const order = await call("POST", "orders/", { products: ["income"], first_name: text.slice(0, 100), client_name: text, employers: [{ company_name: text }] });
    await visit.page.goto(order.share_url);
    await button(visit.page, "Continue").click();
    await visit.page.getByRole("heading", { name: /^Connect your employer/ }).waitFor();
    await assertNothingRan(visit, text);
  }
  const nasty = SCRIPTS[2];
  const { id } = await call("POST", "templates/", {
    name: nasty,
    branding: { company_name: nasty },
    bridge: { texts: { search_header: nasty.slice(0, 80), success_cta: nasty.slice(0, 80) } },
  });
  await visit.page.goto(`${stack.api}/mobile.html?bridge_token=${await newToken({ template_id: id })}`);
  await search(visit.page).waitFor();
  await assertNothingRan(visit, "template");
  await assertKeepsNothing(visit);
  await visit.end();
});
