// The widget's own behaviour between open and done: errors, codes, a lost connection, the keyboard.
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { startMock, TOKENS } from './mock-server.mjs';
import { button, chooseEmployer, launch, search, signIn, visit } from './browser.mjs';

let mock;
let browser;
before(async () => {
  mock = await startMock({ stepMs: 80 });
  browser = await launch();
});
after(async () => {
  await browser.close();
  await mock.close();
});

const after_ = (calls, name) => calls.slice(calls.lastIndexOf(name));

test('a refused sign-in stays on the form; the next one is a link of its own', async () => {
  const v = await visit(browser, mock, { token: TOKENS.provider });
  await signIn(v.frame, 'somebody', 'wrong');
  await v.until('ERROR');
  await signIn(v.frame, 'goodlogin', 'goodpassword');
  await button(v.frame, 'Done').waitFor();
  assert.deepEqual(await v.calls(), [
    'onLoad', 'LOAD', 'OPEN', 'SCREEN_VIEW PROVIDER_LOGIN', 'LINK_CREATED', 'ERROR', 'LINK_CREATED', 'LOGIN_COMPLETE',
    'SCREEN_VIEW LOADING', 'SUCCESS', 'SCREEN_VIEW SUCCESS',
  ]);
  const created = await v.details('LINK_CREATED');
  const [error] = await v.details('ERROR');
  assert.equal(error.task_id, created[0].task_id);
  assert.notEqual(created[1].task_id, created[0].task_id);
  assert.equal(error.error.error_type, 'LINK_ERROR');
  assert.equal(error.error.error_code, 'LOGIN_ERROR');
  await v.leave();
});

test('the server is told which screens were shown, and the last of them by a page that goes', async () => {
  mock.seen.screens.length = 0;
  const v = await visit(browser, mock, { token: TOKENS.provider });
  await signIn(v.frame, 'goodlogin', 'goodpassword');
  await button(v.frame, 'Done').waitFor();
  await v.leave();
  const deadline = Date.now() + 5000;
  while (!mock.seen.screens.includes('SUCCESS') && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(mock.seen.screens, ['PROVIDER_LOGIN', 'LOADING', 'SUCCESS']);
  assert.ok(!(await v.calls().catch(() => [])).includes('ERROR'));
});

test('a code: asked for, refused, asked for again', async () => {
  const v = await visit(browser, mock, { token: TOKENS.provider });
  await signIn(v.frame, 'goodlogin', 'mfa');
  await v.frame.getByRole('textbox', { name: 'Code' }).fill('00000');
  await button(v.frame, 'Continue').click();
  await v.until('ERROR');
  await signIn(v.frame, 'goodlogin', 'mfa');
  await v.frame.getByRole('textbox', { name: 'Code' }).fill('12 345');
  await button(v.frame, 'Continue').click();
  await button(v.frame, 'Done').waitFor();
  assert.deepEqual(after_(await v.calls(), 'ERROR'), [
    'ERROR', 'SCREEN_VIEW PROVIDER_LOGIN', 'LINK_CREATED', 'SCREEN_VIEW PROVIDER_MFA', 'LOGIN_COMPLETE', 'SCREEN_VIEW LOADING',
    'SUCCESS', 'SCREEN_VIEW SUCCESS',
  ]);
  const [error] = await v.details('ERROR');
  assert.equal(error.error.error_code, 'MFA_ERROR');
  await v.leave();
});

const ENDINGS = {
  no_data: ['NO_DATA', 'No records found'],
  unavailable: ['UNAVAILABLE', 'ADP is not available'],
  account_locked: ['ERROR', 'Your account is locked'],
  config_error: ['ERROR', 'ADP needs your attention'],
  unable_to_reset: ['ERROR', 'The password could not be reset'],
  not_supported: ['ERROR', 'This account is not supported'],
  error: ['ERROR', 'Something went wrong'],
};
for (const [status, [code, title]] of Object.entries(ENDINGS)) {
  test(`the status ${status}: ${code}, a screen that says so, and onClose`, async () => {
    const v = await visit(browser, mock, { token: TOKENS.provider });
    await signIn(v.frame, 'error.user', status);
    await v.frame.getByRole('heading', { name: title }).waitFor();
    await button(v.frame, 'Close').click();
    await v.until('CLOSE');
    assert.deepEqual((await v.calls()).slice(4), ['LINK_CREATED', 'ERROR', 'SCREEN_VIEW ERROR', 'onClose', 'CLOSE']);
    const [error] = await v.details('ERROR');
    assert.equal(error.error.error_code, code);
    assert.ok(error.error.error_message);
    await v.leave();
  });
}

test('a server that goes away while a task runs: calm words, then on as before', async () => {
  const v = await visit(browser, mock, { token: TOKENS.provider });
  await signIn(v.frame, 'goodlogin', 'goodpassword');
  mock.control.isDown = true;
  await v.frame.getByText('Reconnecting').waitFor();
  mock.control.isDown = false;
  await button(v.frame, 'Done').waitFor();
  assert.ok(!(await v.calls()).includes('ERROR'));
  await v.leave();
});

test('a company from the token skips the search and is still told once', async () => {
  const v = await visit(browser, mock, { token: TOKENS.company });
  await button(v.frame, 'Gusto').click();
  await v.frame.getByRole('heading', { name: 'Sign in to Gusto' }).waitFor();
  await button(v.frame, 'Back').click();
  await v.until('SCREEN_VIEW PROVIDER_LIST', 2);
  assert.deepEqual(await v.calls(), [
    'onLoad', 'LOAD', 'OPEN', 'EMPLOYER_SELECTED', 'SCREEN_VIEW PROVIDER_LIST', 'SCREEN_VIEW PROVIDER_LOGIN', 'SCREEN_VIEW PROVIDER_LIST',
  ]);
  await v.leave();
});

test('the whole way with the keyboard alone; the focus stays inside', async () => {
  const v = await visit(browser, mock, { token: TOKENS.employment });
  await search(v.frame).waitFor();
  const keys = v.tab.keyboard;
  await keys.type('fac');
  await v.frame.getByRole('option', { name: 'Facebook' }).waitFor();
  await keys.press('ArrowDown');
  assert.ok(await search(v.frame).getAttribute('aria-activedescendant'));
  await keys.press('Enter');
  await v.frame.getByRole('heading', { name: 'Sign in to ADP' }).waitFor();
  const focused = () => v.tab.frames()[1].evaluate(() => document.activeElement.getAttribute('name') || document.activeElement.tagName);
  assert.equal(await focused(), 'H1');
  for (let i = 0; i < 12; i += 1) {
    await keys.press(i === 0 ? 'Shift+Tab' : 'Tab');
    assert.equal(await v.tab.evaluate(() => document.activeElement.tagName), 'IFRAME');
    if ((await focused()) === 'username') break;
  }
  await keys.type('goodlogin');
  await keys.press('Tab');
  await keys.type('goodpassword');
  await keys.press('Enter');
  await button(v.frame, 'Done').waitFor();
  await keys.press('Tab');
  await keys.press('Enter');
  await v.until('onSuccess');
  await v.leave();
});

test('Esc asks before it throws a half-typed sign-in away', async () => {
  const v = await visit(browser, mock, { token: TOKENS.provider });
  await v.frame.getByLabel('Password', { exact: true }).fill('half');
  await v.tab.keyboard.press('Escape');
  await v.frame.getByRole('alertdialog').waitFor();
  await button(v.frame, 'Stay').click();
  assert.equal(await v.frame.getByLabel('Password', { exact: true }).inputValue(), 'half');
  await v.tab.keyboard.press('Escape');
  await button(v.frame, 'Leave').click();
  await v.until('onClose');
  await v.leave();
});
