// bridge.js on a host page: callbacks, ways to close, options of every era, strict policies, what it leaves behind.
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import { startMock, TOKENS } from './mock-server.mjs';
import { button, connect, hostPolicy, launch, search, visit } from './browser.mjs';

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

const SUCCESS = [
  'onLoad', 'LOAD', 'OPEN', 'SCREEN_VIEW SELECT_EMPLOYER', 'EMPLOYER_SELECTED', 'SCREEN_VIEW PROVIDER_LOGIN', 'LINK_CREATED',
  'LOGIN_COMPLETE', 'SCREEN_VIEW LOADING', 'SUCCESS', 'SCREEN_VIEW SUCCESS', 'onSuccess', 'CLOSE',
];

test('success: the order of callbacks, the same token twice, and the same instance again', async () => {
  const v = await visit(browser, mock, { token: TOKENS.income });
  await connect(v.frame);
  await button(v.frame, 'Done').click();
  await v.until('CLOSE');
  assert.deepEqual(await v.calls(), SUCCESS);
  const [[publicToken, metadata]] = await v.details('onSuccess');
  const [success] = await v.details('SUCCESS');
  assert.equal(publicToken, success.public_token);
  assert.deepEqual(metadata, { task_id: success.task_id, employer: { name: 'Facebook' } });
  assert.equal(success.tracking_info, 'order-42');
  assert.deepEqual(await v.details('onLoad'), [[]]);
  assert.deepEqual(await v.details('LOAD'), [undefined]);

  await v.tab.getByRole('button', { name: 'Connect' }).click();
  await connect(v.frame);
  await button(v.frame, 'Close').click();
  await v.until('CLOSE', 2);
  assert.deepEqual(await v.calls(), [...SUCCESS, ...SUCCESS]);
  assert.deepEqual(v.problems, []);
  await v.leave();
});

test('init alone calls nothing and touches nothing', async () => {
  const v = await visit(browser, mock, { token: TOKENS.income, open: false });
  await v.tab.waitForTimeout(200);
  assert.deepEqual(await v.calls(), []);
  assert.equal(await v.tab.locator('iframe, dialog').count(), 0);
  await v.leave();
});

const EXITS = {
  X: (v) => button(v.frame, 'Close').click(),
  Esc: (v) => v.tab.keyboard.press('Escape'),
  'close()': (v) => v.tab.evaluate(() => bridge.close()),
  'double close()': (v) => v.tab.evaluate(() => (bridge.close(), bridge.close({ mode: 'onlyModal' }))),
};
for (const [name, leave] of Object.entries(EXITS)) {
  test(`leaving early by ${name}: onClose, then CLOSE, and the page as it was`, async () => {
    const v = await visit(browser, mock, {
      token: TOKENS.income, markup: '<div style="height:3000px">tall</div>', open: false,
      options: 'onExit: (reason, detail) => note("exit " + reason, detail)',
    });
    await v.tab.evaluate(() => {
      document.documentElement.style.overflow = 'auto';
      document.getElementById('opener').focus();
      window.scrollTo(0, 700);
      window.before = document.documentElement.getAttribute('style');
      bridge.open();
    });
    await search(v.frame).waitFor();
    assert.equal(await v.tab.evaluate(() => document.documentElement.style.overflow), 'hidden');
    await leave(v);
    await v.until('CLOSE');
    const reason = name === 'X' ? 'user_closed' : name === 'Esc' ? 'escape' : 'host_closed';
    assert.deepEqual(await v.calls(), ['onLoad', 'LOAD', 'OPEN', 'SCREEN_VIEW SELECT_EMPLOYER', 'onClose', `exit ${reason}`, 'CLOSE']);
    const state = await v.tab.evaluate(() => ({
      frames: document.querySelectorAll('iframe, dialog').length,
      style: document.documentElement.getAttribute('style') === before,
      scroll: window.pageYOffset,
      focus: document.activeElement.id,
    }));
    assert.deepEqual(state, { frames: 0, style: true, scroll: 700, focus: 'opener' });
    await v.leave();
  });
}

test('a throwing callback stops nothing and reaches the host; close() inside onSuccess is silent', async () => {
  const v = await visit(browser, mock, {
    token: TOKENS.income,
    options: `onLoad() { note('onLoad'); throw new Error('host bug 1'); },
      onSuccess() { note('onSuccess'); bridge.close(); throw new Error('host bug 2'); },`,
  });
  await connect(v.frame);
  await v.tab.evaluate(() => bridge.close());
  await v.until('CLOSE');
  assert.deepEqual(await v.calls(), SUCCESS);
  await v.tab.waitForTimeout(50);
  assert.deepEqual(v.problems, ['host bug 1', 'host bug 2']);
  await v.leave();
});

test('options of every era are taken, and `origin` widens nothing', async () => {
  const v = await visit(browser, mock, {
    token: TOKENS.income,
    options: `key: 'public', clientName: 'Someone else', product: 'admin', companyMappingId: null, trackingInfo: 'page',
      origin: '*', isOrder: false, position: { type: 'dialog' }, whatever: { deep: 1 },`,
  });
  await search(v.frame).waitFor();
  const [open] = await v.details('OPEN');
  assert.deepEqual(open, { bridge_token: TOKENS.income, product_type: 'income' });
  assert.ok(await v.tab.evaluate(() => CitadelBridge === TruvBridge));
  const source = new URL(await v.tab.locator('iframe').getAttribute('src'));
  assert.equal(source.searchParams.get('parent'), mock.hostUrl);
  await v.leave();
});

for (const [name, token] of Object.entries({ expired: TOKENS.expired, unknown: TOKENS.unknown })) {
  test(`a token that is ${name}: an error view, no ERROR event, onClose`, async () => {
    const v = await visit(browser, mock, { token });
    await v.until('SCREEN_VIEW ERROR');
    const [open] = await v.details('OPEN');
    assert.deepEqual(open, { bridge_token: token });
    await button(v.frame, 'Close').click();
    await v.until('CLOSE');
    assert.deepEqual(await v.calls(), ['onLoad', 'LOAD', 'OPEN', 'SCREEN_VIEW ERROR', 'onClose', 'CLOSE']);
    await v.leave();
  });
}

const BROKEN = {
  'no token': 'bridgeToken: undefined,',
  'an inline position without a container': 'position: { type: "inline", container: null },',
};
for (const [name, options] of Object.entries(BROKEN)) {
  test(`${name}: a notice instead of a throw`, async () => {
    const v = await visit(browser, mock, { token: TOKENS.income, options });
    await v.until('SCREEN_VIEW ERROR');
    await v.tab.getByRole('button', { name: 'Close' }).click();
    await v.until('CLOSE');
    assert.deepEqual(await v.calls(), ['onLoad', 'LOAD', 'OPEN', 'SCREEN_VIEW ERROR', 'onClose', 'CLOSE']);
    await v.leave();
  });
}

test('a widget that never loads says so, and can be left with onClose and CLOSE alone', async () => {
  const v = await visit(browser, mock, { token: TOKENS.income, options: 'baseUrl: "http://127.0.0.1:9",', clock: true });
  await v.tab.clock.fastForward(3000);
  await v.tab.getByText('Opening a secure window').waitFor();
  await v.tab.clock.fastForward(12000);
  await v.tab.getByText('could not be opened').waitFor();
  await v.tab.getByRole('button', { name: 'Close' }).click();
  await v.until('CLOSE');
  assert.deepEqual(await v.calls(), ['onClose', 'CLOSE']);
  await v.leave();
});

test('an old browser is told so', async () => {
  const v = await visit(browser, mock, { token: TOKENS.income, open: false });
  await v.tab.evaluate(() => {
    delete HTMLScriptElement.prototype.noModule;
    bridge.open();
  });
  await v.until('UNSUPPORTED_BROWSER');
  await v.tab.getByRole('button', { name: 'Close' }).click();
  await v.until('CLOSE');
  assert.deepEqual(await v.calls(), ['onLoad', 'LOAD', 'UNSUPPORTED_BROWSER', 'onClose', 'CLOSE']);
  await v.leave();
});

test('a token may be a function that fetches it', async () => {
  const v = await visit(browser, mock, { token: '', options: `bridgeToken: () => Promise.resolve('${TOKENS.income}'),` });
  await search(v.frame).waitFor();
  assert.equal((await v.details('OPEN'))[0].bridge_token, TOKENS.income);
  await v.leave();
});

test('a host policy of script-src and frame-src alone is enough', async () => {
  const v = await visit(browser, mock, { token: TOKENS.income }, { 'Content-Security-Policy': hostPolicy(mock) });
  await connect(v.frame);
  await button(v.frame, 'Done').click();
  await v.until('CLOSE');
  assert.deepEqual(await v.tab.evaluate(() => violations), []);
  assert.deepEqual(v.problems, []);
  await v.leave();
});

test('the script twice, and open, close, open in one tick: one object, one frame, one story each', async () => {
  const v = await visit(browser, mock, {
    token: TOKENS.income, open: false,
    head: `<script nonce="host">window.first = TruvBridge</script><script src="${mock.url}/bridge.js"></script>`,
  });
  assert.ok(await v.tab.evaluate(() => first === TruvBridge && first === CitadelBridge));
  await v.tab.evaluate(() => {
    bridge.open();
    bridge.close();
    bridge.open();
    bridge.open();
  });
  await search(v.frame).waitFor();
  assert.equal(await v.tab.locator('iframe').count(), 1);
  assert.deepEqual(await v.calls(), ['onClose', 'CLOSE', 'onLoad', 'LOAD', 'OPEN', 'SCREEN_VIEW SELECT_EMPLOYER']);
  await v.tab.evaluate(() => {
    window.other = CitadelBridge.init({ bridgeToken: options.bridgeToken });
    other.open();
  });
  await v.until('CLOSE', 2);
  assert.equal(await v.tab.locator('iframe').count(), 1);
  await v.tab.evaluate(() => (other.destroy(), other.destroy()));
  assert.equal(await v.tab.locator('iframe').count(), 0);
  await v.leave();
});

test('inline: in the container, no lock, no dialog, as high as its content', async () => {
  const v = await visit(browser, mock, {
    token: TOKENS.income, markup: '<div id="here" style="width:400px"></div>',
    options: 'position: { type: "inline", container: document.getElementById("here") },',
  });
  await search(v.frame).waitFor();
  const state = await v.tab.evaluate(() => ({
    inside: document.querySelector('#here iframe') !== null,
    dialogs: document.querySelectorAll('dialog').length,
    overflow: document.documentElement.style.overflow,
    focus: document.activeElement.id,
  }));
  assert.deepEqual(state, { inside: true, dialogs: 0, overflow: '', focus: 'opener' });
  await v.tab.evaluate(() => bridge.close({ mode: 'onlyModal' }));
  assert.equal(await v.tab.locator('iframe').count(), 1);
  await connect(v.frame);
  await button(v.frame, 'Done').click();
  await v.until('CLOSE');
  assert.deepEqual(await v.calls(), SUCCESS);
  assert.equal(await v.tab.evaluate(() => document.getElementById('here').childNodes.length), 0);
  await v.leave();
});

test('a host page that is a frame itself', async () => {
  const v = await visit(browser, mock, { token: TOKENS.income, open: false });
  mock.pages.set('/outer', { body: '<iframe src="/" style="width:800px;height:700px"></iframe>' });
  await v.tab.goto(mock.hostUrl + '/outer');
  const host = v.tab.frameLocator('iframe').first();
  await host.getByRole('button', { name: 'Connect' }).click();
  await search(host.frameLocator('iframe[title="Citadel Bridge"]')).waitFor();
  assert.deepEqual((await v.tab.frames()[1].evaluate(() => calls)).slice(0, 2), ['onLoad', 'LOAD']);
  await v.leave();
});

test('evaluated without a window it does nothing', async () => {
  const source = await (await fetch(mock.url + '/bridge.js')).text();
  const scope = {};
  runInNewContext(source, scope);
  assert.deepEqual(Object.keys(scope), []);
});

test('leaving the page and coming back leaves no dead widget', async () => {
  const v = await visit(browser, mock, { token: TOKENS.income });
  await search(v.frame).waitFor();
  await v.tab.evaluate(() => window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })));
  assert.equal(await v.tab.locator('iframe, dialog').count(), 0);
  assert.equal(await v.tab.evaluate(() => document.documentElement.style.overflow), '');
  assert.ok(!(await v.calls()).includes('onClose'));
  await v.leave();
});
