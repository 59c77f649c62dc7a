// One Chromium for a test file, and host pages that write down every callback in the order it comes.
import { chromium } from 'playwright-core';

const ARGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

export async function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ARGS });
}

/** The strictest host policy the contract promises to work under, plus the test's own inline script. */
export function hostPolicy(mock) {
  return `default-src 'none'; script-src ${mock.url} 'nonce-host'; frame-src ${mock.url}`;
}

/**
 * A host page. `options` is JavaScript text put into `init({...})`; `markup` goes into the body before the script.
 * `window.calls` holds what was called: "onLoad", "LOAD", "SCREEN_VIEW ERROR", "onSuccess", …
 */
export function hostPage(mock, { token, options = '', markup = '', head = '', open = true }) {
  return `<!doctype html><html><head><meta charset="utf-8"><title>Host</title>
<script src="${mock.url}/bridge.js"></script>${head}</head><body>${markup}<button id="opener">Connect</button>
<script nonce="host">
  window.calls = []; window.details = []; window.violations = [];
  document.addEventListener('securitypolicyviolation', (e) => violations.push(e.violatedDirective + ' ' + e.blockedURI));
  const note = (name, detail) => { calls.push(name); details.push({ name, detail }); };
  window.options = {
    bridgeToken: ${JSON.stringify(token)},
    onLoad: (...a) => note('onLoad', a),
    onEvent: (type, payload) => note(payload && payload.view_name ? type + ' ' + payload.view_name : type, payload),
    onSuccess: (...a) => note('onSuccess', a),
    onClose: (...a) => note('onClose', a),
    ${options}
  };
  window.bridge = TruvBridge.init(window.options);
  document.getElementById('opener').addEventListener('click', () => bridge.open());
  ${open ? "document.getElementById('opener').focus(); bridge.open();" : ''}
</script></body></html>`;
}

export async function visit(browser, mock, page, headers = {}) {
  mock.pages.set('/', { body: hostPage(mock, page), headers });
  const context = await browser.newContext();
  const tab = await context.newPage();
  const problems = [];
  tab.on('console', (message) => /Content Security Policy|Trusted/i.test(message.text()) && problems.push(message.text()));
  tab.on('pageerror', (error) => problems.push(error.message));
  if (page.clock) await tab.clock.install();
  await tab.goto(mock.hostUrl + '/');
  const frame = tab.frameLocator('iframe[title="Citadel Bridge"]');
  return {
    tab, frame, problems,
    calls: () => tab.evaluate(() => window.calls),
    details: (name) => tab.evaluate((wanted) => window.details.filter((d) => d.name === wanted).map((d) => d.detail), name),
    until: (name, count = 1) => tab.waitForFunction(([n, c]) => window.calls.filter((x) => x === n).length >= c, [name, count]),
    leave: () => context.close(),
  };
}

export const search = (frame) => frame.getByRole('combobox', { name: 'Search for your employer' });
export const button = (frame, name) => frame.getByRole('button', { name, exact: true });

export async function chooseEmployer(frame, query = 'fa', name = 'Facebook') {
  await search(frame).fill(query);
  await frame.getByRole('option', { name }).click();
}

export async function signIn(frame, username, password) {
  await frame.getByRole('textbox', { name: 'Username' }).fill(username);
  await frame.getByLabel('Password', { exact: true }).fill(password);
  await button(frame, 'Sign in').click();
}

export async function signInWithKey(frame, key) {
  await frame.getByRole('textbox', { name: 'API key' }).fill(key);
  await button(frame, 'Sign in').click();
}

/** From the first screen to the one with the button Done. */
export async function connect(frame) {
  await chooseEmployer(frame);
  await signIn(frame, 'goodlogin', 'goodpassword');
  await button(frame, 'Done').waitFor();
}
