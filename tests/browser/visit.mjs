// One person's visit: a browser, a page, and a record of everything the page did that somebody might object to.
import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { chromium } from "playwright-core";

const ARGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const PATIENCE_MS = 20_000;

let browser;
/** `more`: switches of the browser for one test. Called by a runner, it is handed the runner's own things instead. */
export async function openBrowser(more) {
  const args = Array.isArray(more) ? [...ARGS, ...more] : ARGS;
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args });
}
export async function closeBrowser() {
  await browser?.close();
}

const screenshots = process.env.SCREENSHOT_DIR || mkdtempSync(path.join(os.tmpdir(), "citadel-screenshots-"));
if (!process.env.SCREENSHOT_DIR) console.log(`screenshots: ${screenshots}`);

/** A fresh visitor with an empty profile; `options` as for a browser context (colorScheme, viewport, …). */
export async function newVisit(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1100, height: 800 }, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const visit = { page, context, outside: [], complaints: [] };

  page.on("request", (request) => {
    const url = new URL(request.url());
    const here = ["127.0.0.1", "localhost"].includes(url.hostname) || ["data:", "blob:", "about:"].includes(url.protocol);
    if (!here) visit.outside.push(request.url());
  });
  // Chromium reports a blocked load, style or script of any frame on the console.
  page.on("console", (message) => {
    if (/Content Security Policy|Trusted ?Type/i.test(message.text())) visit.complaints.push(message.text());
  });
  page.on("pageerror", (error) => visit.complaints.push(String(error)));
  await page.addInitScript(recordCallbacks);
  await page.addInitScript(recordViolations);

  /** Names of callbacks and events in the order of their calls: "onLoad", "LOAD", "SCREEN_VIEW(ERROR)", … */
  visit.story = async () => (await visit.calls()).map(brief);
  visit.calls = () => page.evaluate(() => window.__calls.map((call) => ({ ...call })));
  visit.picture = (name, options) => page.screenshot({ path: path.join(screenshots, `${name}.png`), ...options });
  /** Nothing left for another host, nothing broke the page's policy, nothing threw. */
  visit.assertClean = async () => {
    const inFrames = await Promise.all(page.frames().map(violationsIn));
    assert.deepEqual(visit.outside, [], "requests to other hosts");
    assert.deepEqual([...visit.complaints, ...inFrames.flat()], [], "policy violations and errors");
  };
  visit.end = async () => {
    await visit.assertClean();
    await context.close();
  };
  return visit;
}

/** A widget that has just closed can go away while it is asked; the console has told its violations. */
async function violationsIn(frame) {
  try {
    return await frame.evaluate(() => window.__violations ?? []);
  } catch (error) {
    if (frame.isDetached()) return [];
    throw error;
  }
}

function brief({ name, type, payload }) {
  if (name !== "onEvent") return name;
  return payload?.view_name ? `${type}(${payload.view_name})` : payload?.error ? `${type}(${payload.error.error_code})` : type;
}

// Runs in the page, before its own scripts: wraps every callback that the page hands to `init`.
function recordCallbacks() {
  if (window.parent !== window) return;
  window.__calls = [];
  const names = ["onLoad", "onEvent", "onSuccess", "onClose"];
  for (const global of ["CitadelBridge", "TruvBridge"]) {
    let bridge;
    Object.defineProperty(window, global, {
      configurable: true,
      get: () => bridge,
      set(value) {
        bridge = value;
        if (!value || value.__recorded) return;
        Object.defineProperty(value, "__recorded", { value: true });
        const { init } = value;
        value.init = (options) => {
          const wrapped = { ...options };
          for (const name of names) {
            wrapped[name] = (...args) => {
              const call = name === "onEvent" ? { name, type: args[0], payload: args[1] } : { name, args };
              window.__calls.push(JSON.parse(JSON.stringify(call)));
              return options[name]?.(...args);
            };
          }
          return init.call(value, wrapped);
        };
      },
    });
  }
}

function recordViolations() {
  window.__violations = [];
  document.addEventListener("securitypolicyviolation", (event) => {
    window.__violations.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile ?? ""}`);
  });
}

export const hasFocus = (locator) => locator.evaluate((element) => element === element.ownerDocument.activeElement);

const MOST_STOPS = 120;

/** Presses Tab until the element has the focus. */
export async function tabTo(page, locator) {
  await locator.waitFor();
  for (let stop = 0; stop < MOST_STOPS; stop += 1) {
    if (await hasFocus(locator)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`Tab never reached ${locator}`);
}
