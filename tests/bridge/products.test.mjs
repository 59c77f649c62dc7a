// The flows of the products: which screens in which order, what is sent, what is told, and every way back.
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { startMock, TEST_KEY, TOKENS } from './mock-server.mjs';
import { button, chooseEmployer, launch, signIn, signInWithKey, visit } from './browser.mjs';

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

const START = ['onLoad', 'LOAD', 'OPEN'];
const END = ['LINK_CREATED', 'LOGIN_COMPLETE', 'SCREEN_VIEW LOADING', 'SUCCESS', 'SCREEN_VIEW SUCCESS', 'onSuccess', 'CLOSE'];
const views = (...names) => names.map((name) => 'SCREEN_VIEW ' + name);
const lastTask = () => JSON.parse(mock.seen.requests.filter((request) => request.path === '/bridge/api/tasks').at(-1).body);
const tasks = () => mock.seen.requests.filter((request) => request.path === '/bridge/api/tasks').length;
const open = (token) => visit(browser, mock, { token: TOKENS[token] });

async function finish(v) {
  await button(v.frame, 'Done').click();
  await v.until('CLOSE');
  assert.deepEqual(v.problems, []);
  await v.leave();
}

test('admin: the providers first, an API key, and no employer but the provider', async () => {
  const v = await open('admin');
  await v.frame.getByText('The system that runs your company’s payroll.').waitFor();
  await button(v.frame, 'BambooHR').click();
  const key = v.frame.getByRole('textbox', { name: 'API key' });
  await button(v.frame, 'Fill in the sandbox key').click();
  assert.equal(await key.inputValue(), TEST_KEY);
  const look = () => key.evaluate((input) => [input.type, input.autocomplete, getComputedStyle(input).webkitTextSecurity]);
  assert.deepEqual(await look(), ['text', 'off', 'disc'], 'masked, and nothing a browser would save');
  await button(v.frame, 'Show API key').click();
  assert.equal((await look())[2], 'none');
  await button(v.frame, 'Sign in').click();
  await button(v.frame, 'Done').waitFor();
  assert.deepEqual(lastTask(), { provider_id: 'bamboohr', login: { api_key: TEST_KEY }, consented: true });
  const [success] = await v.details('SUCCESS');
  assert.deepEqual([success.product_type, success.employer.name], ['admin', 'BambooHR']);
  assert.deepEqual(await v.calls(), [
    ...START, ...views('PROVIDER_LIST'), 'EMPLOYER_SELECTED', ...views('PROVIDER_LOGIN'), ...END.slice(0, -2),
  ]);
  await finish(v);
});

test('admin: a refused key stays on the form; the other way is a click away and no new view', async () => {
  const v = await open('admin');
  await button(v.frame, 'Gusto').click();
  await signInWithKey(v.frame, 'not a key');
  await v.frame.getByRole('alert').filter({ hasText: 'not accepted' }).waitFor();
  const key = v.frame.getByRole('textbox', { name: 'API key' });
  assert.equal(await key.inputValue(), '');
  assert.equal(await key.getAttribute('aria-invalid'), 'true');
  const told = await key.evaluate((input) => document.getElementById(input.getAttribute('aria-describedby')).textContent);
  assert.match(told, /not accepted/);
  await button(v.frame, 'Use username and password instead').click();
  await button(v.frame, 'Use API key instead').waitFor();
  await signIn(v.frame, 'goodlogin', 'goodpassword');
  await button(v.frame, 'Done').waitFor();
  assert.deepEqual((await v.calls()).filter((call) => call === 'SCREEN_VIEW PROVIDER_LOGIN').length, 1);
  await finish(v);
});

test('a company code: asked before the sign-in, kept on the way back, sent with the login', async () => {
  const v = await open('admin');
  await button(v.frame, 'Infor').click();
  const code = v.frame.getByRole('textbox', { name: 'Company code' });
  await button(v.frame, 'Continue').click();
  await v.frame.getByRole('alert').filter({ hasText: 'fill in' }).waitFor();
  await code.fill('acme-7');
  await button(v.frame, 'Continue').click();
  await v.frame.getByRole('textbox', { name: 'API key' }).waitFor();
  await button(v.frame, 'Back').click();
  assert.equal(await code.inputValue(), 'acme-7');
  await button(v.frame, 'Continue').click();
  await signInWithKey(v.frame, TEST_KEY);
  await button(v.frame, 'Done').waitFor();
  assert.deepEqual(lastTask().login, { api_key: TEST_KEY, organization_id: 'acme-7' });
  assert.deepEqual((await v.calls()).slice(3, 9), [
    ...views('PROVIDER_LIST'), 'EMPLOYER_SELECTED', ...views('PROVIDER_ORG_ID', 'PROVIDER_LOGIN', 'PROVIDER_ORG_ID', 'PROVIDER_LOGIN'),
  ]);
  await finish(v);
});

test('a company code that nobody knows: the provider’s own words, and the way back leads to the code', async () => {
  const v = await open('admin');
  await button(v.frame, 'Infor').click();
  await v.frame.getByRole('textbox', { name: 'Company code' }).fill('unknown');
  await button(v.frame, 'Continue').click();
  await signInWithKey(v.frame, TEST_KEY);
  await v.frame.getByText('Infor says: 100 % of the pay goes to this account already.', { exact: true }).waitFor();
  await button(v.frame, 'Try again').click();
  await v.until('SCREEN_VIEW PROVIDER_ORG_ID', 2);
  await v.leave();
});

test('deposit_switch: the account after the provider and before the sign-in; all of the pay unless said otherwise', async () => {
  const v = await open('deposit_switch');
  await chooseEmployer(v.frame);
  await v.frame.getByText('ending in 2600').waitFor({ state: 'attached' });
  for (const text of ['TD Bank', 'Checking', '123456789']) await v.frame.locator('main').getByText(text).first().waitFor();
  assert.ok(await v.frame.getByRole('radio', { name: 'All of my pay' }).isChecked());
  await button(v.frame, 'Confirm').click();
  await v.frame.getByText('All of your pay goes to your TD Bank account ending in 2600').waitFor();
  await v.frame.getByText('until you stop it').waitFor();
  await signIn(v.frame, 'goodlogin', 'goodpassword');
  await v.frame.getByText('All of your pay goes to your TD Bank account ending in 2600.').waitFor();
  const { company_mapping_id: _, ...sent } = lastTask();
  assert.deepEqual(sent, {
    provider_id: 'adp', login: { username: 'goodlogin', password: 'goodpassword' }, consented: true, confirmed: true, deposit: { deposit_type: 'entire' },
  });
  await button(v.frame, 'Done').click();
  await v.until('CLOSE');
  assert.deepEqual(await v.calls(), [
    ...START, ...views('SELECT_EMPLOYER'), 'EMPLOYER_SELECTED', ...views('DEPOSIT_CONFIRM', 'PROVIDER_LOGIN'), ...END,
  ]);
  const told = JSON.stringify(await v.tab.evaluate(() => details));
  assert.ok(!told.includes('2600') && !told.includes('123456789'), 'the host hears nothing of the account');
  await v.leave();
});

test('deposit_switch: what may be typed as a share', async () => {
  const v = await open('deposit_switch');
  await chooseEmployer(v.frame);
  const error = v.frame.getByRole('alert');
  const tries = {
    'A percentage': ['Percent of each paycheck', { '': 'such as 25', 0: 'above 0', '100.01': '100 at most', ten: 'such as 25' }, '12.5', '12.50'],
    'A fixed amount': ['Amount of each paycheck', { 0: 'above 0', '-5': 'such as 250', '12,50': 'such as 250', '1.234': 'such as 250' }, '$1,250', '1250.00'],
  };
  for (const [kind, [label, wrong, right]] of Object.entries(tries)) {
    await v.frame.getByRole('radio', { name: kind }).check();
    const field = v.frame.getByRole('textbox', { name: label });
    for (const [typed, words] of Object.entries(wrong)) {
      await field.fill(typed);
      await button(v.frame, 'Confirm').click();
      await error.filter({ hasText: words }).waitFor();
      assert.equal(await field.getAttribute('aria-invalid'), 'true');
      assert.ok(await field.evaluate((input) => document.activeElement === input));
    }
    await field.fill(right);
    await button(v.frame, 'Confirm').click();
    await v.frame.getByRole('textbox', { name: 'Username' }).waitFor();
    await button(v.frame, 'Back').click();
    assert.ok(await v.frame.getByRole('radio', { name: kind }).isChecked(), 'the choice is kept on the way back');
  }
  await button(v.frame, 'Confirm').click();
  await signIn(v.frame, 'goodlogin', 'goodpassword');
  await v.frame.getByText('$1250.00 of each paycheck', { exact: true }).waitFor();
  assert.deepEqual(lastTask().deposit, { deposit_type: 'amount', deposit_value: '1250.00' });
  await finish(v);
});

test('deposit_switch: a share named by the token may be lowered, not raised', async () => {
  const v = await open('deposit_limited');
  const field = v.frame.getByRole('textbox', { name: 'Amount of each paycheck' });
  assert.equal(await field.inputValue(), '250.00');
  assert.equal(await v.frame.getByRole('radio', { name: 'All of my pay' }).count(), 0);
  await field.fill('250.01');
  await button(v.frame, 'Confirm').click();
  await v.frame.getByRole('alert').filter({ hasText: 'at most $250.00' }).waitFor();
  await field.fill('99');
  await button(v.frame, 'Confirm').click();
  await signIn(v.frame, 'goodlogin', 'goodpassword');
  await button(v.frame, 'Done').waitFor();
  assert.deepEqual(lastTask().deposit, { deposit_type: 'amount', deposit_value: '99.00' });
  await finish(v);
});

test('deposit_switch: an update says so, and a removal is agreed to twice', async () => {
  const update = await open('deposit_update');
  await update.frame.getByRole('heading', { name: 'Confirm the change' }).waitFor();
  assert.equal(await update.frame.getByRole('textbox', { name: 'Percent of each paycheck' }).inputValue(), '50');
  await update.leave();

  const v = await open('deposit_delete');
  await v.frame.getByRole('heading', { name: 'Stop this direct deposit?' }).waitFor();
  assert.equal(await v.frame.getByRole('radio').count(), 0);
  await button(v.frame, 'Confirm').click();
  await v.frame.getByRole('alert').filter({ hasText: 'tick the box' }).waitFor();
  await v.frame.getByRole('checkbox', { name: 'Yes, stop using this account' }).check();
  await button(v.frame, 'Confirm').click();
  await signIn(v.frame, 'goodlogin', 'goodpassword');
  await v.frame.getByText('Your pay no longer goes to your TD Bank account ending in 2600').waitFor();
  assert.deepEqual([lastTask().confirmed, lastTask().deposit], [true, undefined]);
  await finish(v);
});

test('deposit_switch: after a refused sign-in nobody is asked to confirm again', async () => {
  const v = await open('deposit_switch');
  await chooseEmployer(v.frame);
  await button(v.frame, 'Confirm').click();
  await signIn(v.frame, 'goodlogin', 'wrong');
  await v.frame.getByRole('alert').filter({ hasText: 'not accepted' }).waitFor();
  await signIn(v.frame, 'goodlogin', 'goodpassword');
  await button(v.frame, 'Done').waitFor();
  assert.deepEqual(lastTask().confirmed, true);
  assert.equal((await v.calls()).filter((call) => call === 'SCREEN_VIEW DEPOSIT_CONFIRM').length, 1);
  await finish(v);
});

test('pll: the amount is the token’s, shown and not asked for', async () => {
  const v = await open('pll');
  await chooseEmployer(v.frame);
  await v.frame.getByText('$1.00 of each paycheck').waitFor();
  assert.equal(await v.frame.locator('main input').count(), 0);
  await button(v.frame, 'Confirm').click();
  await signIn(v.frame, 'goodlogin', 'mfa');
  await v.frame.getByRole('textbox', { name: 'Code', exact: true }).fill('12345');
  await button(v.frame, 'Continue').click();
  await v.frame.getByText('$1.00 of each paycheck goes to your TD Bank account ending in 2600').waitFor();
  assert.deepEqual([lastTask().confirmed, lastTask().deposit], [true, undefined]);
  await finish(v);
});

test('deposit_switch with a company code: confirm, company, sign-in, and Back through all of them', async () => {
  const v = await open('deposit_switch');
  await chooseEmployer(v.frame, 'fall', 'Fallow Field Dairy');
  await button(v.frame, 'Confirm').click();
  await v.frame.getByRole('textbox', { name: 'Company code' }).fill('north');
  await button(v.frame, 'Continue').click();
  await v.until('SCREEN_VIEW PROVIDER_LOGIN');
  for (const view of ['PROVIDER_ORG_ID', 'DEPOSIT_CONFIRM', 'SELECT_EMPLOYER']) {
    await button(v.frame, 'Back').click();
    await v.until('SCREEN_VIEW ' + view, 2);
  }
  assert.equal(await button(v.frame, 'Back').count(), 0);
  await v.leave();
});

test('fas: the sign-in, then the account; the task is born with Confirm', async () => {
  const v = await open('fas');
  const before = tasks();
  await button(v.frame, 'ADP').click();
  await signIn(v.frame, 'goodlogin', 'goodpassword');
  await v.frame.getByRole('heading', { name: 'Confirm the funding account' }).waitFor();
  assert.equal(tasks(), before, 'nothing is sent before Confirm');
  assert.ok(!(await v.calls()).includes('LINK_CREATED'));
  await button(v.frame, 'Confirm').click();
  await v.frame.getByText('Payroll is paid from the TD Bank account ending in 2600').waitFor();
  await v.frame.getByText('You will be asked for their amounts.').waitFor();
  assert.deepEqual(lastTask(), { provider_id: 'adp', login: { username: 'goodlogin', password: 'goodpassword' }, consented: true, confirmed: true });
  await button(v.frame, 'Done').click();
  await v.until('CLOSE');
  assert.deepEqual(await v.calls(), [
    ...START, ...views('PROVIDER_LIST'), 'EMPLOYER_SELECTED', ...views('PROVIDER_LOGIN', 'DEPOSIT_CONFIRM'), ...END,
  ]);
  await v.leave();
});

test('fas: a sign-in that waits is gone after Back, and Esc asks before it is lost', async () => {
  const v = await open('fas');
  await button(v.frame, 'ADP').click();
  await signIn(v.frame, 'goodlogin', 'goodpassword');
  await button(v.frame, 'Confirm').waitFor();
  await v.tab.keyboard.press('Escape');
  await button(v.frame, 'Stay').click();
  const before = tasks();
  await button(v.frame, 'Back').click();
  assert.equal(await v.frame.getByRole('textbox', { name: 'Username' }).inputValue(), 'goodlogin');
  assert.equal(await v.frame.getByLabel('Password', { exact: true }).inputValue(), '');
  await button(v.frame, 'Sign in').click();
  await v.frame.getByRole('alert').filter({ hasText: 'fill in Password' }).waitFor();
  assert.equal(tasks(), before);
  await v.leave();
});

test('fas: after a refused sign-in the form is back, and Confirm is not asked for again', async () => {
  const v = await open('fas');
  await button(v.frame, 'ADP').click();
  await signIn(v.frame, 'goodlogin', 'wrong');
  await button(v.frame, 'Confirm').click();
  await v.frame.getByRole('alert').filter({ hasText: 'not accepted' }).waitFor();
  await signIn(v.frame, 'goodlogin', 'goodpassword');
  await button(v.frame, 'Done').waitFor();
  assert.deepEqual((await v.calls()).slice(5), [
    ...views('PROVIDER_LOGIN', 'DEPOSIT_CONFIRM'), 'LINK_CREATED', 'ERROR', ...views('PROVIDER_LOGIN'), ...END.slice(0, -2),
  ]);
  await finish(v);
});

test('another provider after a failure: the list takes the place of the failed one’s screens', async () => {
  const v = await open('deposit_switch');
  await chooseEmployer(v.frame);
  await button(v.frame, 'Confirm').click();
  await signIn(v.frame, 'error.user', 'unavailable');
  await button(v.frame, 'Choose another provider').click();
  await button(v.frame, 'Gusto').click();
  await button(v.frame, 'Confirm').waitFor();
  await button(v.frame, 'Back').click();
  await button(v.frame, 'Gusto').waitFor();
  await button(v.frame, 'Back').click();
  await v.until('SCREEN_VIEW SELECT_EMPLOYER', 2);
  await v.leave();
});

test('a token that names provider and employer, and one that repairs a connection', async () => {
  const both = await open('both');
  await both.until('SCREEN_VIEW PROVIDER_LOGIN');
  assert.deepEqual(await both.calls(), [...START, 'EMPLOYER_SELECTED', ...views('PROVIDER_LOGIN')]);
  await signIn(both.frame, 'goodlogin', 'goodpassword');
  await button(both.frame, 'Done').waitFor();
  assert.equal((await both.details('SUCCESS'))[0].employer.name, 'Fabrikam Foods');
  await finish(both);

  const v = await open('repair');
  await v.frame.getByRole('heading', { name: 'Sign in again to ADP' }).waitFor();
  assert.deepEqual(await v.calls(), [...START, ...views('PROVIDER_LOGIN')]);
  assert.equal(await button(v.frame, 'Back').count(), 0);
  await v.leave();
});

test('row 14: a deposit with the keyboard alone; each new screen starts at its heading', async () => {
  const v = await open('deposit_switch');
  await chooseEmployer(v.frame);
  await button(v.frame, 'Confirm').waitFor();
  const keys = v.tab.keyboard;
  const focused = () => v.tab.frames()[1].evaluate(() => {
    const { activeElement: at } = document;
    return at.labels && at.labels.length > 0 ? at.labels[0].textContent : at.textContent;
  });
  const tabTo = async (name) => {
    for (let i = 0; i < 12 && (await focused()) !== name; i += 1) await keys.press('Tab');
    assert.equal(await focused(), name);
  };
  assert.equal(await focused(), 'Confirm your direct deposit');
  await tabTo('All of my pay');
  await keys.press('ArrowDown');
  assert.equal(await focused(), 'A percentage');
  await keys.press('Tab');
  assert.equal(await focused(), 'Percent of each paycheck');
  await keys.type('40');
  await keys.press('Enter');
  await v.frame.getByRole('heading', { name: 'Sign in to ADP' }).waitFor();
  assert.equal(await focused(), 'Sign in to ADP');
  await tabTo('Username');
  await keys.type('goodlogin');
  await tabTo('Password');
  await keys.type('mfa.push');
  await keys.press('Enter');
  await v.frame.getByRole('heading', { name: 'Approve on your phone' }).waitFor();
  assert.equal(await focused(), 'Approve on your phone');
  await button(v.frame, 'Done').waitFor();
  await tabTo('Done');
  await keys.press('Enter');
  await v.until('onSuccess');
  assert.deepEqual(lastTask().deposit, { deposit_type: 'percent', deposit_value: '40.00' });
  await v.leave();
});

test('row 14: every control has a name, and every id that is pointed at exists', async () => {
  const check = () => {
    const named = (element) =>
      element.getAttribute('aria-label') || (element.labels && element.labels.length > 0 && element.labels[0].textContent) || element.textContent.trim();
    const bare = [...document.querySelectorAll('button, input, a, summary')].filter((element) => !named(element)).map((element) => element.outerHTML);
    const lost = [...document.querySelectorAll('[aria-describedby], [aria-labelledby], [aria-controls], label[for]')].filter((element) =>
      ['aria-describedby', 'aria-labelledby', 'aria-controls', 'for'].some((name) =>
        (element.getAttribute(name) || '').split(' ').filter(Boolean).some((id) => !document.getElementById(id))
      )
    ).map((element) => element.outerHTML);
    return { bare, lost, headings: document.querySelectorAll('h1').length };
  };
  const scenes = {
    admin: async (v) => button(v.frame, 'Infor').click(),
    deposit_limited: async (v) => v.frame.getByRole('textbox', { name: 'Amount of each paycheck' }).fill('900'),
    deposit_delete: async () => {},
    repair: async (v) => signIn(v.frame, 'goodlogin', 'mfa.choice'),
    provider: async (v) => signIn(v.frame, 'goodlogin', 'mfa.question'),
  };
  for (const [token, reach] of Object.entries(scenes)) {
    const v = await open(token);
    await reach(v);
    await v.frame.locator('button[type=submit]', { hasText: /Continue|Confirm/ }).click();
    await v.frame.getByRole('alert').filter({ hasText: /\w/ }).waitFor();
    const found = await v.tab.frames()[1].evaluate(check);
    assert.deepEqual(found, { bare: [], lost: [], headings: 1 }, token);
    await v.leave();
  }
});
