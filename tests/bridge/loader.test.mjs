// bridge.js on a host page: callbacks, ways to close, options of every era, strict policies, what it leaves behind.
// "row N" is a row of the acceptance checklist.
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { startMock, TOKENS } from './mock-server.mjs';
import { button, chooseEmployer, connect, hostPolicy, launch, search, signIn, visit } from './browser.mjs';

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

test('rows 2, 3 and 6: success, the same token twice, and the same instance again for a second link', async () => {
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
  const [first, second] = await v.details('LINK_CREATED');
  assert.notEqual(first.task_id, second.task_id);
  const [[again]] = (await v.details('onSuccess')).slice(1);
  assert.notEqual(again, publicToken);
  assert.equal(again, (await v.details('SUCCESS'))[1].public_token);
  assert.deepEqual(await v.details('onLoad'), [[], []]);
  assert.deepEqual(v.problems, []);
  await v.leave();
});

test('row 3: init alone calls nothing and touches nothing', async () => {
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
  test(`row 4: leaving early by ${name}: onClose, then CLOSE, and the page as it was`, async () => {
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

// The ways out once SUCCESS was told: each of them is a success, and each tells it once.
const EXITS_AFTER_SUCCESS = { Done: (v) => button(v.frame, 'Done').click(), ...EXITS, 'destroy()': (v) => v.tab.evaluate(() => bridge.destroy()) };
for (const [name, leave] of Object.entries(EXITS_AFTER_SUCCESS)) {
  test(`row 4: ${name} after SUCCESS`, async () => {
    const v = await visit(browser, mock, { token: TOKENS.provider });
    await signIn(v.frame, 'goodlogin', 'goodpassword');
    await button(v.frame, 'Done').waitFor();
    const before = await v.calls();
    await leave(v);
    if (name !== 'destroy()') await v.until('CLOSE');
    await v.tab.evaluate(() => bridge.close());
    await v.tab.waitForTimeout(100);
    const told = (await v.calls()).slice(before.length);
    assert.deepEqual(told, name === 'destroy()' ? [] : ['onSuccess', 'CLOSE']);
    assert.equal(await v.tab.locator('iframe, dialog').count(), 0);
    await v.leave();
  });
}

test('row 4: open() from inside a callback opens afresh, after the CLOSE of the one before', async () => {
  const v = await visit(browser, mock, {
    token: TOKENS.income, options: 'onClose() { note("onClose"); if (calls.filter((c) => c === "onClose").length === 1) bridge.open(); },',
  });
  await search(v.frame).waitFor();
  await v.tab.evaluate(() => bridge.close());
  await v.until('SCREEN_VIEW SELECT_EMPLOYER', 2);
  assert.deepEqual((await v.calls()).slice(4), ['onClose', 'CLOSE', 'onLoad', 'LOAD', 'OPEN', 'SCREEN_VIEW SELECT_EMPLOYER']);
  assert.equal(await v.tab.locator('iframe').count(), 1);
  await v.leave();
});

test('row 4: closeAfterSuccess: onClose comes after a success too', async () => {
  const v = await visit(browser, mock, { token: TOKENS.provider, options: 'closeAfterSuccess: true,' });
  await signIn(v.frame, 'goodlogin', 'goodpassword');
  await button(v.frame, 'Done').click();
  await v.until('CLOSE');
  assert.deepEqual((await v.calls()).slice(-3), ['onSuccess', 'onClose', 'CLOSE']);
  await v.leave();
});

test('row 4: a throwing callback stops nothing and reaches the host; close() inside onSuccess is silent', async () => {
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

// What real pages pass, beside the callbacks.
const ERAS = {
  '2020-10': `key: 'public', clientName: 'Someone else', product: 'admin', companyMappingId: null, trackingInfo: 'page',`,
  '2020-11': `clientName: 'Someone else', product: 'admin', trackingInfo: 'page',`,
  '2021-01 on Android': `origin: '*',`,
  '2021-02': '',
  '2025': `isOrder: false, position: { type: 'dialog' }, companyMappingId: undefined,`,
  'of nobody': `whatever: { deep: 1 }, theme: 7, onLoad: null, position: 'dialog', companyMappingId: 12, baseUrl: '',`,
};
for (const [era, options] of Object.entries(ERAS)) {
  test(`row 7: options ${era}: what the token says wins, and \`origin\` widens nothing`, async () => {
    const v = await visit(browser, mock, { token: TOKENS.income, options });
    await search(v.frame).waitFor();
    const [open] = await v.details('OPEN');
    assert.deepEqual(open, { bridge_token: TOKENS.income, product_type: 'income' });
    await v.frame.getByText('For Northwind Lending').waitFor();
    assert.ok(await v.tab.evaluate(() => CitadelBridge === TruvBridge));
    const source = new URL(await v.tab.locator('iframe').getAttribute('src'));
    assert.equal(source.searchParams.get('parent'), mock.hostUrl);
    assert.ok(!source.search.includes('*') && !source.search.includes('page'));
    await v.leave();
  });
}

test('row 7: a page may name the employer, and the token’s own wins', async () => {
  const id = '3'.padStart(32, '0');
  const v = await visit(browser, mock, { token: TOKENS.income, options: `companyMappingId: '${id}',` });
  await button(v.frame, 'UKG').click();
  await v.frame.getByRole('heading', { name: 'Sign in to UKG' }).waitFor();
  assert.deepEqual((await v.calls()).slice(3), ['SCREEN_VIEW PROVIDER_LIST', 'EMPLOYER_SELECTED', 'SCREEN_VIEW PROVIDER_LOGIN']);
  await v.leave();
  const own = await visit(browser, mock, { token: TOKENS.company, options: `companyMappingId: '${id}',` });
  await button(own.frame, 'Gusto').waitFor();
  assert.equal((await own.details('EMPLOYER_SELECTED'))[0].employer.name, 'Fabrikam Foods');
  await own.leave();
});

for (const [name, token] of Object.entries({ expired: TOKENS.expired, unknown: TOKENS.unknown })) {
  test(`row 8: a token that is ${name}: an error view, no ERROR event, onClose`, async () => {
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
  'a key of 2020 in place of a token': 'bridgeToken: undefined, key: "public",',
  'a token of the wrong kind': 'bridgeToken: 42,',
  'an inline position without a container': 'position: { type: "inline", container: null },',
};
for (const [name, options] of Object.entries(BROKEN)) {
  test(`row 7: ${name}: a notice instead of a throw`, async () => {
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

test('row 12: a host policy of script-src and frame-src alone is enough', async () => {
  const v = await visit(browser, mock, { token: TOKENS.income }, { 'Content-Security-Policy': hostPolicy(mock) });
  await connect(v.frame);
  await button(v.frame, 'Done').click();
  await v.until('CLOSE');
  assert.deepEqual(await v.tab.evaluate(() => violations), []);
  assert.deepEqual(v.problems, []);
  await v.leave();
});

test('row 12: the same policy for an inline widget, a notice, and the screens of a deposit', async () => {
  const policy = { 'Content-Security-Policy': hostPolicy(mock) };
  const v = await visit(browser, mock, {
    token: TOKENS.deposit_switch, markup: '<div id="here"></div>', options: 'position: { type: "inline", container: document.getElementById("here") },',
  }, policy);
  await chooseEmployer(v.frame);
  await button(v.frame, 'Confirm').click();
  await signIn(v.frame, 'goodlogin', 'mfa.push');
  await button(v.frame, 'Done').click();
  await v.until('CLOSE');
  await v.tab.evaluate(() => TruvBridge.init({}).open());
  await v.tab.getByText('not valid any more').waitFor();
  assert.deepEqual(await v.tab.evaluate(() => violations), []);
  assert.deepEqual(v.problems, []);
  await v.leave();
});

test('row 12: the test notices a violation', async () => {
  const v = await visit(browser, mock, { token: TOKENS.income, open: false }, { 'Content-Security-Policy': hostPolicy(mock) });
  await v.tab.evaluate(() => document.body.setAttribute('style', 'color: red'));
  await v.tab.waitForFunction(() => violations.length > 0);
  await v.leave();
});

test('row 13: the script twice, and open, close, open in one tick: one object, one frame, one story each', async () => {
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

test('row 13: inline: in the container, no lock, no dialog, as high as its content', async () => {
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

test('row 13: a host page that is a frame itself', async () => {
  const v = await visit(browser, mock, { token: TOKENS.income, open: false });
  mock.pages.set('/outer', { body: '<iframe src="/" style="width:800px;height:700px"></iframe>' });
  await v.tab.goto(mock.hostUrl + '/outer');
  const host = v.tab.frameLocator('iframe').first();
  await host.getByRole('button', { name: 'Connect' }).click();
  await search(host.frameLocator('iframe[title="Citadel Bridge"]')).waitFor();
  assert.deepEqual((await v.tab.frames()[1].evaluate(() => calls)).slice(0, 2), ['onLoad', 'LOAD']);
  await v.leave();
});

test('row 13: evaluated without a window, as on a server, it does nothing', async () => {
  const source = await (await fetch(mock.url + '/bridge.js')).text();
  const scope = {};
  runInNewContext(source, scope);
  assert.deepEqual(Object.keys(scope), []);
});

test('row 13: leaving the page and coming back leaves no dead widget', async () => {
  const v = await visit(browser, mock, { token: TOKENS.income });
  await search(v.frame).waitFor();
  await v.tab.evaluate(() => window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })));
  assert.equal(await v.tab.locator('iframe, dialog').count(), 0);
  assert.equal(await v.tab.evaluate(() => document.documentElement.style.overflow), '');
  assert.ok(!(await v.calls()).includes('onClose'));
  // Back again: the same instance opens as if nothing had been.
  await v.tab.evaluate(() => {
    window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }));
    bridge.open();
  });
  await v.until('SCREEN_VIEW SELECT_EMPLOYER', 2);
  assert.equal(await v.tab.locator('iframe').count(), 1);
  await v.leave();
});

test('row 13: the page goes elsewhere and back, for real', async () => {
  const v = await visit(browser, mock, { token: TOKENS.income });
  await search(v.frame).waitFor();
  mock.pages.set('/elsewhere', { body: '<title>Elsewhere</title>' });
  await v.tab.goto(mock.hostUrl + '/elsewhere');
  await v.tab.goBack();
  // Kept or loaded anew, it can be used.
  await v.tab.evaluate(() => {
    bridge.close();
    bridge.open();
  });
  await search(v.frame).waitFor();
  assert.equal(await v.tab.locator('iframe').count(), 1);
  await v.leave();
});

test('row 13: React’s strict mode: set up, torn down, set up again', async () => {
  const v = await visit(browser, mock, { token: TOKENS.income, open: false });
  await v.tab.evaluate(() => {
    // What a wrapper does in an effect, twice; the first instance is never heard of again.
    const effect = () => {
      const own = TruvBridge.init(options);
      own.open();
      return () => own.destroy();
    };
    effect()();
    window.cleanUp = effect();
  });
  await search(v.frame).waitFor();
  assert.equal(await v.tab.locator('iframe').count(), 1);
  assert.deepEqual(await v.calls(), ['onLoad', 'LOAD', 'OPEN', 'SCREEN_VIEW SELECT_EMPLOYER']);
  await v.tab.evaluate(() => cleanUp());
  assert.equal(await v.tab.locator('iframe, dialog').count(), 0);
  assert.equal(await v.tab.evaluate(() => document.documentElement.style.overflow), '');
  await v.leave();
});

test('row 13: a script in the head, before there is a body, mounts once there is one', async () => {
  const v = await visit(browser, mock, {
    token: TOKENS.income, open: false,
    head: `<script nonce="host">window.early = []; TruvBridge.init({ bridgeToken: '${TOKENS.income}', onLoad: () => early.push('onLoad') }).open()</script>`,
  });
  await search(v.frame).waitFor();
  assert.deepEqual(await v.tab.evaluate(() => early), ['onLoad']);
  await v.leave();
});

test('row 13: an inline widget follows its content, and scrolls inside where the page forces a height', async () => {
  const inline = (style) => ({
    token: TOKENS.admin, markup: `<style>${style}</style><div id="here" style="width:360px"></div>`,
    options: 'position: { type: "inline", container: document.getElementById("here") },',
  });
  const heights = (v) => v.tab.evaluate(() => document.querySelector('iframe').getBoundingClientRect().height);
  const free = await visit(browser, mock, inline(''));
  await button(free.frame, 'Infor').waitFor();
  await free.tab.waitForFunction(() => document.querySelector('iframe').getBoundingClientRect().height > 700);
  const list = await heights(free);
  await button(free.frame, 'BambooHR').click();
  await free.frame.getByRole('textbox', { name: 'API key' }).waitFor();
  await free.tab.waitForFunction((before) => document.querySelector('iframe').getBoundingClientRect().height !== before, list);
  const inner = free.tab.frames()[1];
  assert.ok(await inner.evaluate(() => document.documentElement.scrollHeight <= window.innerHeight + 1), 'nothing is cut off');
  await free.leave();

  const forced = await visit(browser, mock, inline('#here { height: 420px } iframe { width: 100%; height: 100% !important }'));
  await button(forced.frame, 'Infor').waitFor();
  assert.equal(await heights(forced), 420);
  await button(forced.frame, 'Infor').click();
  await forced.frame.getByRole('textbox', { name: 'Company code' }).fill('acme');
  await button(forced.frame, 'Continue').click();
  await button(forced.frame, 'Sign in').scrollIntoViewIfNeeded();
  const seen = await button(forced.frame, 'Sign in').boundingBox();
  const frame = await forced.tab.locator('iframe').boundingBox();
  assert.ok(seen.y >= frame.y && seen.y + seen.height <= frame.y + frame.height, 'the button can be reached');
  await forced.leave();
});

test('row 13: an inline widget and a dialog on one page: the later one closes the earlier', async () => {
  const v = await visit(browser, mock, {
    token: TOKENS.income, markup: '<div id="here" style="width:400px"></div>',
    options: 'position: { type: "inline", container: document.getElementById("here") }, onExit: (reason) => note("exit " + reason),',
  });
  await search(v.frame).waitFor();
  await v.tab.evaluate(() => TruvBridge.init({ bridgeToken: options.bridgeToken }).open());
  await v.until('CLOSE');
  assert.deepEqual((await v.calls()).slice(-3), ['onClose', 'exit host_closed', 'CLOSE']);
  await v.tab.locator('dialog iframe').waitFor();
  assert.equal(await v.tab.locator('iframe').count(), 1);
  await v.leave();
});

test('what is promised: 4 kB for the loader, 30 kB and four requests for the widget’s first view', async () => {
  const size = async (path) => gzipSync(await (await fetch(mock.url + path)).text()).length;
  const loader = await size('/bridge.js');
  assert.ok(loader <= 4_000, `${loader} bytes`);
  const v = await visit(browser, mock, { token: TOKENS.income, open: false });
  const paths = [];
  v.tab.on('request', (request) => request.url().startsWith(mock.url) && paths.push(new URL(request.url()).pathname));
  await v.tab.evaluate(() => bridge.open());
  await search(v.frame).waitFor();
  assert.deepEqual(paths.sort(), ['/bridge/api/session', '/bridge/widget', '/bridge/widget.css', '/bridge/widget.js']);
  let widget = 0;
  for (const path of paths.filter((path) => path !== '/bridge/api/session')) widget += await size(path);
  assert.ok(widget <= 29_000, `${widget} bytes`);
  await v.leave();
});

test('every part of the widget is listed where the server looks for it', async () => {
  const here = new URL('../../crates/citadel-server/', import.meta.url);
  const listed = await readFile(new URL('src/pages/assets.rs', here), 'utf8');
  for (const name of await readdir(new URL('assets/bridge/', here))) {
    if (!name.endsWith('.html')) assert.ok(listed.includes(`"${name}" as `), name);
  }
});
