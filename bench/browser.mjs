// Measures the loader and the widget in Chromium, against a server that runs: figures F13 and F14.
//
// Prints one JSON object per figure on stdout. Bytes are those of bodies as they were sent, without headers. The loader's
// time is evaluation, `init`, `open` and its listeners. The largest paint is counted from the press on Connect.
//
// The host page is served from here, on another port than the widget's, as the quickstart does it. Every round has a
// fresh profile with an empty cache, and the processor is slowed down four times for the page and the frame alike.
//
//   CITADEL_URL=http://127.0.0.1:8700 CITADEL_CLIENT_ID=… CITADEL_SECRET=… node bench/browser.mjs
//
// Also read: CHROMIUM (its path), CITADEL_BENCH_ROUNDS, CITADEL_BENCH_SLOW_DOWN. Needs playwright-core, which lies in tests/node_modules.
import { readFileSync } from 'node:fs';
import http, { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { setTimeout as pause } from 'node:timers/promises';

const require = createRequire(new URL('../tests/package.json', import.meta.url));
const { chromium } = require('playwright-core');

const BASE = required('CITADEL_URL').replace(/\/$/, '');
const KEY = { 'X-Access-Client-Id': required('CITADEL_CLIENT_ID'), 'X-Access-Secret': required('CITADEL_SECRET') };
const ROUNDS = Number(process.env.CITADEL_BENCH_ROUNDS) || 5;
const SLOW_DOWN = Number(process.env.CITADEL_BENCH_SLOW_DOWN) || 4;
const NAMES = 10; // typed in each round,
const LETTERS = 6; // as far as this
const CADENCE_MS = 180; // between two keys: a good typist
const ARGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];

function required(name) {
  const value = process.env[name];
  if (value) return value;
  console.error(`browser.mjs: ${name} is not set`);
  process.exit(2);
}

// --- the server's side -------------------------------------------------------------------------------------------------

async function bridgeToken() {
  const response = await fetch(`${BASE}/v1/bridge-tokens/`, {
    method: 'POST', headers: { ...KEY, 'Content-Type': 'application/json' }, body: JSON.stringify({ product_type: 'employment' }),
  });
  if (!response.ok) throw new Error(`no bridge token: ${response.status} ${await response.text()}`);
  return (await response.json()).bridge_token;
}

/** What the search answers: the lists that a person should see. */
async function employers(token, query) {
  const address = `${BASE}/bridge/api/companies?query=${encodeURIComponent(query)}`;
  const response = await fetch(address, { headers: { Authorization: `Bearer ${token}` } });
  if (!response.ok) throw new Error(`no employers for ${query}: ${response.status}`);
  return (await response.json()).map((company) => company.name);
}

/** Names to type, and for each beginning of them the list that belongs to it. */
async function thingsToType() {
  const token = await bridgeToken();
  const names = new Set();
  for (const first of 'abcdefghijklmnopqrstuvwxyz') {
    const found = (await employers(token, first + 'a')).concat(await employers(token, first + 'e'));
    const name = found.find((one) => /^[A-Za-z]{4}[A-Za-z ]{2}/.test(one) && one[0].toLowerCase() === first);
    if (name) names.add(name.slice(0, LETTERS).toLowerCase());
  }
  const texts = [...names].slice(0, NAMES);
  const lists = {};
  for (const text of texts) for (let end = 2; end <= text.length; end += 1) lists[text.slice(0, end)] = await employers(token, text.slice(0, end));
  return { texts, lists };
}

/** The bytes of a body as they travel to a browser. */
function travelled(address) {
  return new Promise((resolve, reject) => {
    http.get(address, { headers: { 'Accept-Encoding': 'gzip' } }, (response) => {
      let bytes = 0;
      response.on('data', (data) => (bytes += data.length));
      response.on('end', () => resolve(bytes));
    }).on('error', reject);
  });
}

// --- the host page -----------------------------------------------------------------------------------------------------

const page = (token) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Host</title>
<link rel="icon" href="data:,"><script src="${BASE}/bridge.js"></script></head>
<body><h1>An invented shop</h1><p>Some text of a page.</p><button id="connect">Connect</button>
<script>
  window.told = [];
  window.bridge = CitadelBridge.init({
    bridgeToken: '${token}',
    onEvent: (type, payload) => told.push(payload && payload.view_name ? type + ' ' + payload.view_name : type),
  });
  document.querySelector('#connect').addEventListener('click', () => {
    window.pressed = performance.timeOrigin + performance.now();
    bridge.open();
  });
</script></body></html>`;

const host = createServer((request, response) => {
  const token = new URL(request.url, 'http://host').searchParams.get('token');
  response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
  response.end(page(token));
});

// Runs in every frame before its own scripts.
function observe() {
  const seen = (window.seen = { lcp: 0, shifts: [], events: [], keys: [] });
  const watch = (type, more, take) => new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true, ...more });
  watch('largest-contentful-paint', {}, (entry) => (seen.lcp = performance.timeOrigin + (entry.renderTime || entry.startTime)));
  watch('layout-shift', {}, (entry) => entry.hadRecentInput || seen.shifts.push({ at: entry.startTime, value: entry.value }));
  watch('event', { durationThreshold: 16 }, (entry) => entry.interactionId && seen.events.push({ name: entry.name, ms: entry.duration }));

  // From a key to the frame in which the list for the text is painted. A key whose list was never painted, because the
  // next one came first, ends with the list of a later text.
  window.watchKeys = (lists) => {
    const waiting = [];
    let expected = null;
    let isAsked = false;
    document.addEventListener('input', (event) => {
      const text = event.target.value.trim().toLowerCase();
      expected = lists[text] || null;
      // A list that stays as it is has nothing to paint.
      if (expected && !isPainted()) waiting.push(event.timeStamp);
    }, true);
    const isPainted = () => {
      const list = document.querySelector('[role="listbox"]');
      if (!list || !expected) return false;
      if (expected.length === 0) return list.hidden && document.body.textContent.includes('No employer found');
      const names = list.hidden ? [] : [...list.querySelectorAll('.row-name')].map((name) => name.textContent);
      return names.length === expected.length && names.every((name, at) => name === expected[at]);
    };
    const after = new MessageChannel();
    after.port1.onmessage = () => {
      const now = performance.now();
      for (const start of waiting.splice(0)) seen.keys.push(now - start);
    };
    new MutationObserver(() => {
      if (isAsked || waiting.length === 0) return;
      isAsked = true;
      requestAnimationFrame(() => {
        isAsked = false;
        if (waiting.length > 0 && isPainted()) after.port2.postMessage(0);
      });
    }).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
  };
}

// --- rounds ------------------------------------------------------------------------------------------------------------

/** A page with the loader on it, slowed down, and every request that leaves it. */
async function newPage(browser, hostUrl, watch = true) {
  const context = await browser.newContext({ viewport: { width: 1100, height: 800 } });
  const tab = await context.newPage();
  const client = await context.newCDPSession(tab);
  const requests = new Map();
  client.on('Network.requestWillBeSent', ({ requestId, request }) => {
    if (request.url.startsWith('http')) requests.set(requestId, { url: request.url, body: 0, all: 0 });
  });
  client.on('Network.dataReceived', ({ requestId, encodedDataLength }) => {
    if (requests.has(requestId)) requests.get(requestId).body += encodedDataLength;
  });
  client.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    if (requests.has(requestId)) requests.get(requestId).all = encodedDataLength;
  });
  await client.send('Network.enable');
  await client.send('Emulation.setCPUThrottlingRate', { rate: SLOW_DOWN });
  if (watch) await tab.addInitScript(observe);
  await tab.goto(`${hostUrl}/?token=${await bridgeToken()}`, { waitUntil: 'load' });
  await pause(200);
  return { context, tab, requests: () => [...requests.values()] };
}

const frameOf = (tab) => tab.frames().find((frame) => frame.url().startsWith(`${BASE}/bridge/widget`));

async function openWidget(tab) {
  await tab.click('#connect');
  await tab.waitForFunction(() => window.told.includes('SCREEN_VIEW SELECT_EMPLOYER'));
  const frame = frameOf(tab);
  if (!frame) throw new Error('the widget is not in the page');
  await frame.waitForFunction(() => document.querySelector('[role="combobox"]')?.offsetParent);
  await pause(500); // what comes late belongs to the first view too
  return frame;
}

/**
 * Time of the host page's main thread that the loader takes: evaluation, `init`, `open`, and its listeners. The few lines of
 * the host page count too, because they call it. CPU time of the thread, so that others on the machine add little.
 */
async function loaderRound(browser, hostUrl) {
  await browser.startTracing(undefined, { categories: ['devtools.timeline', 'v8'] });
  const { context, tab } = await newPage(browser, hostUrl, false);
  await openWidget(tab);
  const address = tab.url();
  const loaded = await tab.evaluate(() => performance.getEntriesByType('resource').map((entry) => entry.name));
  const { traceEvents } = JSON.parse(await browser.stopTracing());
  await context.close();
  const urlOf = ({ args }) => args.data?.url ?? args.fileName ?? '';
  const kinds = ['EvaluateScript', 'v8.compile', 'FunctionCall'];
  const ours = traceEvents.filter((one) => one.ph === 'X' && kinds.includes(one.name) && [`${BASE}/bridge.js`, address].includes(urlOf(one)));
  if (!ours.some((one) => one.name === 'EvaluateScript' && urlOf(one) === `${BASE}/bridge.js`)) throw new Error('the trace does not show the loader');
  const holds = (outer, one) => outer !== one && outer.tid === one.tid && outer.pid === one.pid && outer.ts <= one.ts && outer.ts + outer.dur >= one.ts + one.dur;
  const outermost = ours.filter((one) => !ours.some((other) => holds(other, one)));
  const time = (some) => sum(some.map(({ tdur, dur }) => (tdur ?? dur) / 1000));
  const isCall = ({ name }) => name === 'FunctionCall';
  return {
    figures: {
      'F13.main_thread_ms': time(outermost),
      'F13.dependencies': loaded.filter((name) => name !== `${BASE}/bridge.js` && !name.startsWith(`${BASE}/bridge/widget?`)).length,
    },
    onLoad: time(outermost.filter((one) => !isCall(one))),
    onOpen: time(outermost.filter(isCall)),
  };
}

async function widgetRound(browser, hostUrl, { texts, lists }) {
  const { context, tab, requests } = await newPage(browser, hostUrl);
  const earlier = new Set(requests());
  const frame = await openWidget(tab);
  const first = requests().filter((request) => !earlier.has(request));
  const pressed = await tab.evaluate(() => window.pressed);
  const lcp = await frame.evaluate(() => window.seen.lcp);
  if (!lcp) throw new Error('the browser tells of no largest paint');

  await frame.evaluate((known) => window.watchKeys(known), lists);
  for (const text of texts) {
    await tab.keyboard.press('Control+A');
    for (const letter of text) {
      await tab.keyboard.press(letter);
      await pause(CADENCE_MS);
    }
    await pause(400);
  }
  const keys = await frame.evaluate(() => window.seen.keys);
  for (const key of ['ArrowDown', 'ArrowDown', 'ArrowUp']) {
    await tab.keyboard.press(key);
    await pause(CADENCE_MS);
  }
  await frame.locator('[role="option"]').first().click();
  await tab.waitForFunction(() => window.told.some((one) => /SCREEN_VIEW PROVIDER/.test(one)));
  await pause(500);
  const ofBoth = await Promise.all([tab.mainFrame(), frame].map((one) => one.evaluate(() => window.seen)));
  await context.close();
  return {
    figures: {
      'F14.gzip_bytes': sum(first.map((request) => request.body)),
      'F14.requests': first.length,
      'F14.lcp_ms': lcp - pressed,
      'F14.inp_ms': Math.max(0, ...ofBoth.flatMap((seen) => seen.events.map((event) => event.ms))),
      'F14.cls': sum(ofBoth.map((seen) => shiftOf(seen.shifts))),
      'F14.keystroke_p95_ms': percentile(keys, 0.95),
    },
    keys,
    first,
  };
}

/** The worst window of shifts: at most a second between two, at most five in all. */
function shiftOf(shifts) {
  let worst = 0;
  let window = [];
  for (const shift of shifts) {
    if (window.length > 0 && (shift.at - window.at(-1).at > 1000 || shift.at - window[0].at > 5000)) window = [];
    window.push(shift);
    worst = Math.max(worst, sum(window.map(({ value }) => value)));
  }
  return worst;
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
const percentile = (numbers, share) => [...numbers].sort((a, b) => a - b)[Math.ceil(numbers.length * share) - 1];

// --- figures -----------------------------------------------------------------------------------------------------------

/** The share of the machine that others use while nothing of ours does anything. */
async function others() {
  const read = () => {
    const fields = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0].trim().split(/\s+/).slice(1, 9).map(Number);
    return { all: sum(fields), idle: fields[3] + fields[4] };
  };
  const before = read();
  await pause(500);
  const after = read();
  return 1 - (after.idle - before.idle) / Math.max(1, after.all - before.all);
}

const UNITS = { bytes: 'B', ms: 'ms' };
const rounded = (value) => Math.round(value * 1000) / 1000;
const median = (values) => percentile(values, 0.5);

function print(name, values, more = {}) {
  const figure = { name, unit: UNITS[name.split('_').at(-1)] ?? '', value: median(values), min: Math.min(...values), max: Math.max(...values) };
  for (const key of ['value', 'min', 'max']) figure[key] = rounded(figure[key]);
  console.log(JSON.stringify({ ...figure, rounds: values.length, ...more }));
}

/** The figures of all rounds. What is a time is told with how busy others were. */
function printAll(rounds, beside = {}) {
  const share = rounded(sum(rounds.map((round) => round.others)) / rounds.length);
  for (const name of Object.keys(rounds[0]).filter((name) => name !== 'others')) {
    const more = {};
    if (name.endsWith('_ms')) more.others = share;
    if (beside[name]) more.beside = beside[name];
    print(name, rounds.map((round) => round[name]), more);
  }
}

await new Promise((resolve) => host.listen(0, '127.0.0.1', resolve));
const hostUrl = `http://127.0.0.1:${host.address().port}`;
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ARGS });
try {
  print('F13.gzip_bytes', [await travelled(`${BASE}/bridge.js`)]);
  const loader = [];
  const widget = [];
  const typed = await thingsToType();
  await loaderRound(browser, hostUrl); // the first of all is the browser's own start
  for (let round = 0; round < ROUNDS; round += 1) {
    const first = await loaderRound(browser, hostUrl);
    loader.push({ ...first, figures: { others: await others(), ...first.figures } });
    const one = await widgetRound(browser, hostUrl, typed);
    widget.push({ ...one, figures: { others: await others(), ...one.figures } });
  }
  printAll(loader.map(({ figures }) => figures), {
    // Opening is mostly the browser's own work on a new frame.
    'F13.main_thread_ms': { load: rounded(median(loader.map(({ onLoad }) => onLoad))), open: rounded(median(loader.map(({ onOpen }) => onOpen))) },
  });
  printAll(widget.map(({ figures }) => figures), {
    'F14.gzip_bytes': { with_headers: sum(widget[0].first.map(({ all }) => all)) },
    'F14.keystroke_p95_ms': {
      p50: rounded(median(widget.flatMap(({ keys }) => keys))),
      keystrokes: sum(widget.map(({ keys }) => keys.length)),
    },
  });
} finally {
  await browser.close();
  host.closeAllConnections();
  host.close();
}
