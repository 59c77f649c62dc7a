// mobile.html in a web view: the first channel present, objects for iOS, JSON text for the others, strict parsers.
// "row N" is a row of the acceptance checklist.
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { startMock, TEST_KEY, TOKENS } from './mock-server.mjs';
import { button, chooseEmployer, launch, signIn, signInWithKey } from './browser.mjs';

let mock;
let browser;
before(async () => {
  mock = await startMock({ stepMs: 40, pushMs: 400 });
  browser = await launch();
});
after(async () => {
  await browser.close();
  await mock.close();
});

// --- fakes of the published libraries ----------------------------------------------------------------------------------

/**
 * Parses as they do, and throws where they throw or crash: closed lists of events and codes, texts that must be there,
 * no null anywhere. Runs in the page.
 */
const PARSER = `window.sent = []; window.refused = [];
  const EVENTS = ['LOAD', 'OPEN', 'SCREEN_VIEW', 'EMPLOYER_SELECTED', 'LINK_CREATED', 'LOGIN_COMPLETE', 'SUCCESS', 'ERROR',
    'UNSUPPORTED_BROWSER', 'START_EXTERNAL_LOGIN', 'CLOSE'];
  const CODES = ['LINK_ERROR', 'UNAVAILABLE', 'MFA_ERROR', 'LOGIN_ERROR', 'ERROR'];
  const need = (holds, what) => { if (!holds) throw new Error(what); };
  const text = (value, what) => need(typeof value === 'string' && value !== '', what + ' is no text');
  const object = (value, what) => need(typeof value === 'object' && value !== null && !Array.isArray(value), what + ' is no object');
  const noNull = (value) => Object.values(value).forEach((v) => { need(v !== null, 'null'); if (typeof v === 'object') noNull(v); });
  const REQUIRED = { SCREEN_VIEW: ['view_name'], LINK_CREATED: ['task_id', 'provider_id'], LOGIN_COMPLETE: ['task_id', 'provider_id'],
    SUCCESS: ['task_id', 'provider_id', 'public_token'], ERROR: ['task_id', 'provider_id'] };
  window.parse = (message, strict) => {
    sent.push(JSON.parse(JSON.stringify(message)));
    try {
      if ('payload' in message) { object(message.payload, 'payload'); noNull(message.payload); }
      const body = message.payload;
      if (message.event === 'onLoad' || message.event === 'onClose') need(!('payload' in message), 'a payload for ' + message.event);
      else if (message.event === 'onSuccess') {
        text(body.public_token, 'public_token');
        text(body.metadata.task_id, 'metadata.task_id');
        text(body.metadata.employer.name, 'metadata.employer.name');
      } else {
        need(message.event === 'onEvent', 'unknown message ' + message.event);
        if (strict) need(EVENTS.includes(body.event_type), 'unknown event ' + body.event_type);
        if ('payload' in body) {
          object(body.payload, 'event payload');
          text(body.payload.bridge_token, 'bridge_token');
          (REQUIRED[body.event_type] || []).forEach((key) => text(body.payload[key], key));
          if (body.payload.employer) text(body.payload.employer.name, 'employer.name');
        } else need(['LOAD', 'UNSUPPORTED_BROWSER'].includes(body.event_type), 'no payload for ' + body.event_type);
        if (body.event_type === 'ERROR') {
          need(body.payload.error.error_type === 'LINK_ERROR', 'error_type');
          text(body.payload.error.error_message, 'error_message');
          if (strict) need(CODES.includes(body.payload.error.error_code), 'unknown code ' + body.payload.error.error_code);
          else text(body.payload.error.error_code, 'error_code');
        }
      }
    } catch (error) { refused.push(error.message); throw error; }
  };`;

const FAKES = {
  // An Objective-C bridge: it takes objects, and what is no JSON object as payload ends the app.
  iosListener: `window.webkit = { messageHandlers: { iosListener: { postMessage(message) {
      need(typeof message === 'object', 'not an object'); parse(message, true); } } } };`,
  citadelInterface: androidFake('citadelInterface'),
  truvInterface: androidFake('truvInterface'),
  ReactNativeWebView: `window.ReactNativeWebView = { postMessage(message) {
      need(typeof message === 'string', 'not text'); parse(JSON.parse(message), false); } };`,
};

function androidFake(name) {
  return `window.${name} = {};
    for (const event of ['onLoad', 'onClose', 'onEvent', 'onSuccess']) window.${name}[event] = function (...args) {
      if (this !== window.${name}) { refused.push('detached'); throw new Error('detached'); }
      if (args.length > 1 || (args.length === 1 && typeof args[0] !== 'string')) { refused.push('not text'); throw new Error('not text'); }
      parse(args.length ? { event, payload: JSON.parse(args[0]) } : { event }, true);
    };`;
}

async function open(fake, token = TOKENS.provider, sdk = 'android:1.5') {
  const tab = await browser.newPage();
  const problems = [];
  tab.on('pageerror', (error) => problems.push(error.message));
  await tab.addInitScript(PARSER + fake);
  await tab.goto(`${mock.url}/mobile.html?bridge_token=${token}&isMobileApp=true&__TruvExternalFeatures=external_app_login&sdk=${sdk}`);
  const names = () => tab.evaluate(() => sent.map((m) => (m.event === 'onEvent' ? m.payload.event_type : m.event)));
  const until = (name) => tab.waitForFunction((n) => sent.some((m) => (m.event === 'onEvent' ? m.payload.event_type : m.event) === n), name);
  const leave = async () => {
    assert.deepEqual(await tab.evaluate(() => refused), [], 'the library parsed everything');
    assert.deepEqual(problems, []);
    await tab.close();
  };
  return { tab, names, until, leave };
}

// --- row 9 -------------------------------------------------------------------------------------------------------------

for (const [channel, fake] of Object.entries(FAKES)) {
  test(`row 9: ${channel}: the whole story`, async () => {
    const { tab, names, until, leave } = await open(fake);
    await signIn(tab, 'goodlogin', 'goodpassword');
    await button(tab, 'Done').click();
    await until('CLOSE');
    assert.deepEqual(await names(), [
      'onLoad', 'LOAD', 'OPEN', 'SCREEN_VIEW', 'LINK_CREATED', 'LOGIN_COMPLETE', 'SCREEN_VIEW', 'SUCCESS', 'SCREEN_VIEW', 'onSuccess', 'CLOSE',
    ]);
    const sent = await tab.evaluate(() => window.sent);
    assert.deepEqual(Object.keys(sent[0]), ['event']);
    const success = sent.find((m) => m.event === 'onSuccess').payload;
    assert.match(success.public_token, /^[0-9a-f]{32}$/);
    assert.deepEqual(Object.keys(success.metadata), ['task_id', 'employer']);
    assert.equal(success.metadata.employer.name, 'ADP');
    assert.ok(tab.url().includes(TOKENS.provider));
    await leave();
  });
}

test('row 9: the first channel present is the only one used', async () => {
  const { tab, until, leave } = await open(FAKES.iosListener + `
    window.citadelInterface = window.truvInterface = new Proxy({}, { get: () => () => refused.push('second channel') });
    window.ReactNativeWebView = { postMessage: () => refused.push('third channel') };`);
  await button(tab, 'Close').click();
  await until('CLOSE');
  await leave();
});

const THROWING = {
  iosListener: `window.webkit = { messageHandlers: { iosListener: { postMessage() { throw new Error('app'); } } } };`,
  citadelInterface: `window.citadelInterface = new Proxy({}, { get: () => () => { throw new Error('app'); } });`,
  'a citadelInterface without methods': 'window.citadelInterface = {};',
  ReactNativeWebView: `window.ReactNativeWebView = { postMessage() { throw new Error('app'); } };`,
};
for (const [name, fake] of Object.entries(THROWING)) {
  test(`row 9: a throwing app does not break the flow: ${name}`, async () => {
    const { tab, leave } = await open(fake);
    await signIn(tab, 'goodlogin', 'goodpassword');
    await button(tab, 'Done').click();
    await tab.getByRole('heading', { name: 'All done' }).waitFor();
    await leave();
  });
}

// --- row 10: every flow and every outcome on every channel --------------------------------------------------------------

const confirm = (tab) => button(tab, 'Confirm').click();
const FLOWS = {
  async income(tab) {
    await chooseEmployer(tab);
    await signIn(tab, 'goodlogin', 'goodpassword');
  },
  async employment(tab) {
    await chooseEmployer(tab);
    await signIn(tab, 'goodlogin', 'mfa.choice');
    await tab.getByRole('radio').first().check();
    await button(tab, 'Continue').click();
    await tab.getByRole('textbox', { name: 'Code', exact: true }).fill('12345');
    await button(tab, 'Continue').click();
  },
  async admin(tab) {
    await button(tab, 'Infor').click();
    await tab.getByRole('textbox', { name: 'Company code' }).fill('acme');
    await button(tab, 'Continue').click();
    await signInWithKey(tab, TEST_KEY);
  },
  async deposit_switch(tab) {
    await chooseEmployer(tab);
    await confirm(tab);
    await signIn(tab, 'goodlogin', 'mfa.push');
  },
  async pll(tab) {
    await chooseEmployer(tab);
    await confirm(tab);
    await signIn(tab, 'goodlogin', 'goodpassword');
  },
  async fas(tab) {
    await button(tab, 'ADP').click();
    await signIn(tab, 'goodlogin', 'goodpassword');
    await confirm(tab);
  },
};
const NO_EMPLOYER = { admin: 'Infor', fas: 'ADP' };
const OUTCOMES = {
  login_error: 'LOGIN_ERROR', mfa_error: 'MFA_ERROR', unavailable: 'UNAVAILABLE', no_data: 'NO_DATA', account_locked: 'ERROR',
  config_error: 'ERROR', unable_to_reset: 'ERROR', not_supported: 'ERROR', error: 'ERROR',
};

for (const [channel, fake] of Object.entries(FAKES)) {
  const sdk = channel === 'iosListener' ? 'ios:1.9.1' : 'android:1.5';
  test(`row 10: ${channel}: all six products are parsed`, async () => {
    for (const [product, walk] of Object.entries(FLOWS)) {
      const { tab, names, until, leave } = await open(fake, TOKENS[product], sdk);
      await walk(tab);
      await button(tab, 'Done').click();
      await until('CLOSE');
      const told = await names();
      assert.deepEqual(told.slice(-2), ['onSuccess', 'CLOSE'], product);
      assert.equal(told.filter((name) => name === 'SUCCESS').length, 1, product);
      const success = await tab.evaluate(() => sent.find((m) => m.event === 'onSuccess').payload);
      assert.equal(success.metadata.employer.name, NO_EMPLOYER[product] || 'Facebook', product);
      await leave();
    }
  });

  test(`row 10: ${channel}: every outcome has a code that its library knows`, async () => {
    for (const [status, code] of Object.entries(OUTCOMES)) {
      const { tab, names, until, leave } = await open(fake, TOKENS.provider, sdk);
      await signIn(tab, 'error.user', status);
      await until('ERROR');
      const error = await tab.evaluate(() => sent.find((m) => m.payload && m.payload.event_type === 'ERROR').payload.payload.error);
      assert.equal(error.error_code, code === 'NO_DATA' && channel !== 'ReactNativeWebView' ? 'LINK_ERROR' : code, status);
      await tab.evaluate(() => bridge.back());
      await until('CLOSE').catch(() => assert.fail(status));
      assert.deepEqual((await names()).slice(-2), ['onClose', 'CLOSE'], status);
      await leave();
    }
  });
}

test('row 10: what an old library does not know is not told to it', async () => {
  for (const [channel, expected] of [['citadelInterface', 0], ['ReactNativeWebView', 1]]) {
    const { tab } = await open(FAKES[channel]);
    await button(tab, 'Close').waitFor();
    await tab.evaluate(async () => {
      const { nativeHost } = await import('/bridge/assets/host.js');
      nativeHost().event('DOC_UPLOAD_OPENED', { bridge_token: 'x' });
    });
    const told = await tab.evaluate(() => sent.filter((m) => m.payload && m.payload.event_type === 'DOC_UPLOAD_OPENED').length);
    assert.equal(told, expected, channel);
    await tab.close();
  }
});

// --- the rest of the page's surface -------------------------------------------------------------------------------------

test('the back key: one screen back, at the root the way out', async () => {
  const { tab, names, until, leave } = await open(FAKES.ReactNativeWebView, TOKENS.company);
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
  await leave();
});

test('row 8: an expired token in a web view', async () => {
  const { tab, names, until, leave } = await open(FAKES.iosListener, TOKENS.expired);
  await until('SCREEN_VIEW');
  await button(tab, 'Close').click();
  await until('CLOSE');
  assert.deepEqual(await names(), ['onLoad', 'LOAD', 'OPEN', 'SCREEN_VIEW', 'onClose', 'CLOSE']);
  const open_ = await tab.evaluate(() => sent[2].payload);
  assert.deepEqual(open_, { event_type: 'OPEN', payload: { bridge_token: TOKENS.expired } });
  await leave();
});

test('row 10: an old web view is told so in words that its library knows', async () => {
  const { tab, names, leave } = await open(FAKES.citadelInterface);
  // A browser with modules never runs the script for those without, so it is run by hand, on a page that does nothing else.
  await tab.goto(`${mock.url}/oauth-success.html?bridge_token=${TOKENS.provider}`);
  await tab.evaluate(() => {
    sent.length = 0;
    const box = document.createElement('div');
    box.id = 'bridge';
    document.body.appendChild(box);
  });
  const source = await (await fetch(`${mock.url}/bridge/assets/unsupported.js`)).text();
  await tab.evaluate(source);
  await tab.getByRole('button', { name: 'Close' }).click();
  const told = await names();
  assert.deepEqual(told, ['onLoad', 'LOAD', 'UNSUPPORTED_BROWSER', 'onClose', 'CLOSE']);
  await leave();
});
