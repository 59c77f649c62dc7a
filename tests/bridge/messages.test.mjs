// What crosses the frame's border: nothing from the wrong origin, nothing to it, and no secret at all.
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { startMock, TOKENS } from './mock-server.mjs';
import { button, chooseEmployer, connect, launch, search, signIn, visit } from './browser.mjs';

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

test('row 11: forged messages to the host page do nothing', async () => {
  const v = await visit(browser, mock, { token: TOKENS.income });
  await search(v.frame).waitFor();
  const before = await v.calls();
  mock.pages.set('/evil', {
    body: `<script>for (const m of [{v:1,t:'ready'},{v:1,t:'exit',reason:'x'},{v:1,t:'success',public_token:'0'.repeat(32)},
      {v:1,t:'event',type:'SUCCESS',payload:{}},null,'exit']) parent.postMessage(m, '*')</script>`,
  });
  await v.tab.evaluate(async () => {
    const evil = document.createElement('iframe');
    evil.src = '/evil';
    document.body.appendChild(evil);
    await new Promise((done) => (evil.onload = done));
    // Right shape, right origin of the widget impossible; the page itself is a wrong source, too.
    for (const m of [{ v: 1, t: 'ready' }, { v: 1, t: 'exit' }, { v: 1, t: 'success', public_token: 'x' }]) window.postMessage(m, '*');
  });
  await v.tab.waitForTimeout(200);
  assert.deepEqual(await v.calls(), before);
  await v.leave();
});

test('row 11: forged messages to the widget do nothing', async () => {
  const v = await visit(browser, mock, { token: TOKENS.income });
  await search(v.frame).waitFor();
  await v.tab.evaluate(() => {
    const target = document.querySelector('iframe[title="Citadel Bridge"]').contentWindow;
    const channel = new MessageChannel();
    window.heard = [];
    channel.port1.onmessage = (event) => heard.push(event.data);
    // A second port after the handshake, from the right page even: the channel is settled.
    target.postMessage({ v: 1, t: 'port', nonce: 'n', options: {} }, '*', [channel.port2]);
    target.postMessage({ v: 1, t: 'close', nonce: 'n' }, '*');
  });
  await chooseEmployer(v.frame);
  await v.until('SCREEN_VIEW PROVIDER_LOGIN');
  assert.deepEqual(await v.tab.evaluate(() => heard), []);
  await v.leave();
});

test('row 11: a widget told the wrong parent speaks to nobody', async () => {
  mock.pages.set('/liar', {
    body: `<script>window.heard=[];addEventListener('message',(e)=>heard.push(e.data))</script>
      <iframe src="${mock.url}/bridge/widget?bridge_token=${TOKENS.income}&parent=${encodeURIComponent('https://bank.example')}&v=1"></iframe>`,
  });
  const tab = await browser.newPage();
  await tab.goto(mock.hostUrl + '/liar');
  await tab.waitForTimeout(600);
  assert.deepEqual(await tab.evaluate(() => window.heard), []);
  assert.ok(!mock.seen.paths.slice(-6).some((path) => path.includes('/bridge/api/tasks')));
  await tab.close();
});

test('row 11: framing by an origin that is not listed is blocked, and the person can leave', async () => {
  mock.control.allowed = 'https://listed.example';
  const v = await visit(browser, mock, { token: TOKENS.income });
  await v.tab.getByRole('button', { name: 'Close' }).click();
  await v.until('CLOSE');
  assert.deepEqual(await v.calls(), ['onClose', 'CLOSE']);
  mock.control.allowed = null;
  await v.leave();
});

test('what a person types is in one request body and nowhere else', async () => {
  const v = await visit(browser, mock, { token: TOKENS.income });
  await v.tab.evaluate(() => {
    window.raw = [];
    addEventListener('message', (event) => raw.push(event.data));
  });
  await chooseEmployer(v.frame);
  await signIn(v.frame, 'canary-user', 'canary-secret');
  await v.frame.getByRole('alert').filter({ hasText: 'not accepted' }).waitFor();
  assert.equal(await v.frame.getByRole('textbox', { name: 'Username' }).inputValue(), 'canary-user');
  assert.equal(await v.frame.getByLabel('Password', { exact: true }).inputValue(), '');
  await signIn(v.frame, 'goodlogin', 'mfa');
  await v.frame.getByRole('textbox', { name: 'Code' }).fill('12345');
  await button(v.frame, 'Continue').click();
  await button(v.frame, 'Done').waitFor();

  const bodies = mock.seen.requests.filter((request) => request.body.includes('canary-secret'));
  assert.deepEqual(bodies.map((request) => request.path), ['/bridge/api/tasks']);
  const told = JSON.stringify([await v.tab.evaluate(() => [raw, details])]);
  for (const secret of ['canary-secret', 'canary-user', '12345"']) assert.ok(!told.includes(secret), secret);
  const inner = v.tab.frames().find((frame) => frame.url().includes('/bridge/widget'));
  const kept = await inner.evaluate(() => ({
    storage: localStorage.length + sessionStorage.length, cookie: document.cookie, html: document.documentElement.outerHTML, url: location.href,
  }));
  assert.equal(kept.storage, 0);
  assert.equal(kept.cookie, '');
  assert.ok(!kept.html.includes('canary') && !kept.url.includes('canary'));
  await v.leave();
});

test('script in every text field is text', async () => {
  const v = await visit(browser, mock, { token: TOKENS.income });
  v.tab.on('dialog', () => assert.fail('a script ran'));
  const nasty = '<img src=x onerror=alert(1)>"><script>alert(1)</script>';
  await search(v.frame).fill(nasty);
  await v.frame.getByText('No employer found for').waitFor();
  await v.frame.getByRole('button', { name: 'Search by payroll provider instead' }).click();
  await v.frame.getByRole('textbox', { name: 'Filter payroll providers' }).fill(nasty);
  await v.frame.getByText('No provider matches').waitFor();
  await v.frame.getByRole('textbox', { name: 'Filter payroll providers' }).fill('Gusto');
  await v.frame.getByRole('button', { name: 'Gusto' }).click();
  await signIn(v.frame, nasty, nasty);
  await v.frame.getByRole('alert').filter({ hasText: 'not accepted' }).waitFor();
  assert.deepEqual(v.problems, []);
  await v.leave();
});

test('the widget asks nothing of other hosts', async () => {
  const v = await visit(browser, mock, { token: TOKENS.income });
  const outside = [];
  v.tab.on('request', (request) => {
    if (![mock.url, mock.hostUrl].includes(new URL(request.url()).origin) && !request.url().startsWith('data:')) outside.push(request.url());
  });
  await connect(v.frame);
  assert.deepEqual(outside, []);
  await v.leave();
});
