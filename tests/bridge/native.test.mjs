// mobile.html in a web view: the first channel present, objects for iOS, JSON text for the others, strict parsers.
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { startMock, TOKENS } from './mock-server.mjs';
import { button, launch, signIn } from './browser.mjs';

let mock;
let browser;
before(async () => {
  mock = await startMock({ stepMs: 60 });
  browser = await launch();
});
after(async () => {
  await browser.close();
  await mock.close();
});

// Fakes as the published SDKs are: `sent` holds {event, payload} whatever the channel's own form.
const FAKES = {
  iosListener: `window.webkit = { messageHandlers: { iosListener: { postMessage(m) {
      if (typeof m !== 'object' || ('payload' in m && (typeof m.payload !== 'object' || m.payload === null))) throw new Error('crash');
      sent.push(JSON.parse(JSON.stringify(m))); } } } };`,
  citadelInterface: androidFake('citadelInterface'),
  truvInterface: androidFake('truvInterface'),
  ReactNativeWebView: `window.ReactNativeWebView = { postMessage(text) { sent.push(JSON.parse(text)); } };`,
};

function androidFake(name) {
  return `window.${name} = {};
    for (const event of ['onLoad', 'onClose', 'onEvent', 'onSuccess']) window.${name}[event] = function (...args) {
      if (this !== window.${name}) throw new Error('detached');
      if (args.length > 1 || (args.length === 1 && typeof args[0] !== 'string')) throw new Error('not text');
      sent.push(args.length ? { event, payload: JSON.parse(args[0]) } : { event });
    };`;
}

async function open(fake, token = TOKENS.provider) {
  const tab = await browser.newPage();
  const problems = [];
  tab.on('pageerror', (error) => problems.push(error.message));
  await tab.addInitScript(`window.sent = []; ${fake}`);
  await tab.goto(`${mock.url}/mobile.html?bridge_token=${token}&isMobileApp=true&__TruvExternalFeatures=external_app_login&sdk=android:1.5`);
  const names = () => tab.evaluate(() => sent.map((m) => (m.event === 'onEvent' ? m.payload.event_type : m.event)));
  const until = (name) => tab.waitForFunction((n) => sent.some((m) => (m.event === 'onEvent' ? m.payload.event_type : m.event) === n), name);
  return { tab, names, until, problems };
}

for (const [channel, fake] of Object.entries(FAKES)) {
  test(`${channel}: the whole story`, async () => {
    const { tab, names, until, problems } = await open(fake);
    await signIn(tab, 'goodlogin', 'goodpassword');
    await button(tab, 'Done').click();
    await until('CLOSE');
    assert.deepEqual(await names(), [
      'onLoad', 'LOAD', 'OPEN', 'SCREEN_VIEW', 'LINK_CREATED', 'LOGIN_COMPLETE', 'SCREEN_VIEW', 'SUCCESS', 'SCREEN_VIEW', 'onSuccess', 'CLOSE',
    ]);
    const sent = await tab.evaluate(() => sent);
    assert.deepEqual(Object.keys(sent[0]), ['event']);
    const success = sent.find((m) => m.event === 'onSuccess').payload;
    assert.match(success.public_token, /^[0-9a-f]{32}$/);
    assert.deepEqual(Object.keys(success.metadata), ['task_id', 'employer']);
    assert.equal(success.metadata.employer.name, 'ADP');
    assert.ok(!JSON.stringify(sent).includes('null'));
    assert.ok(tab.url().includes(TOKENS.provider));
    assert.deepEqual(problems, []);
    await tab.close();
  });

  test(`${channel}: every outcome has a code its SDK knows`, async () => {
    const { tab, until } = await open(fake);
    const known = channel === 'ReactNativeWebView' ? ['NO_DATA'] : ['LINK_ERROR'];
    await signIn(tab, 'error.user', 'no_data');
    await until('ERROR');
    const error = await tab.evaluate(() => sent.find((m) => m.payload && m.payload.event_type === 'ERROR').payload.payload.error);
    assert.ok(known.includes(error.error_code), error.error_code);
    assert.equal(error.error_type, 'LINK_ERROR');
    await tab.close();
  });
}

test('a throwing app does not break the flow', async () => {
  const { tab } = await open(`window.citadelInterface = new Proxy({}, { get: () => () => { throw new Error('app'); } });`);
  await signIn(tab, 'goodlogin', 'goodpassword');
  await button(tab, 'Done').click();
  await tab.getByRole('heading', { name: 'All done' }).waitFor();
  await tab.close();
});

test('the back key: one screen back, at the root the way out', async () => {
  const { tab, names, until } = await open(FAKES.ReactNativeWebView, TOKENS.company);
  await button(tab, 'Gusto').click();
  await tab.getByRole('heading', { name: 'Sign in to Gusto' }).waitFor();
  await tab.evaluate(() => bridge.back());
  await button(tab, 'Gusto').waitFor();
  await tab.evaluate(() => {
    bridge.onExternalLoginSuccess({});
    bridge.onExternalLoginCancel();
    bridge.onOAuthResult({});
    bridge.back();
  });
  await until('CLOSE');
  assert.deepEqual((await names()).slice(-2), ['onClose', 'CLOSE']);
  await tab.close();
});

test('an expired token in a web view', async () => {
  const { tab, names, until } = await open(FAKES.iosListener, TOKENS.expired);
  await until('SCREEN_VIEW');
  await button(tab, 'Close').click();
  await until('CLOSE');
  assert.deepEqual(await names(), ['onLoad', 'LOAD', 'OPEN', 'SCREEN_VIEW', 'onClose', 'CLOSE']);
  const open_ = await tab.evaluate(() => sent[2].payload);
  assert.deepEqual(open_, { event_type: 'OPEN', payload: { bridge_token: TOKENS.expired } });
  await tab.close();
});
