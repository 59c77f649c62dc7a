// What a provider may ask on the way in: a code, a question, a choice, an approval, and a kind that nobody knows yet.
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { startMock, TOKENS } from './mock-server.mjs';
import { button, launch, signIn, visit } from './browser.mjs';

let mock;
let browser;
before(async () => {
  mock = await startMock({ stepMs: 60, pushMs: 2500 });
  browser = await launch();
});
after(async () => {
  await browser.close();
  await mock.close();
});

const answers = () => mock.seen.requests.filter((request) => request.path.endsWith('/answer')).map((request) => JSON.parse(request.body).answer);
const code = (v) => v.frame.getByRole('textbox', { name: 'Code', exact: true });
const END = ['LOGIN_COMPLETE', 'SCREEN_VIEW LOADING', 'SUCCESS', 'SCREEN_VIEW SUCCESS'];

async function ask(password) {
  mock.seen.requests.length = 0;
  const v = await visit(browser, mock, { token: TOKENS.provider });
  await signIn(v.frame, 'goodlogin', password);
  await v.until('SCREEN_VIEW PROVIDER_MFA');
  return v;
}

/** Everything after the sign-in was sent. */
const story = async (v) => (await v.calls()).slice((await v.calls()).indexOf('LINK_CREATED') + 1);

test('a question: its words name the field, the answer is masked and can be shown', async () => {
  const v = await ask('mfa.question');
  const field = v.frame.getByRole('textbox', { name: 'What was the name of your first pet?' });
  const masked = () => field.evaluate((input) => getComputedStyle(input).webkitTextSecurity);
  assert.equal(await masked(), 'disc');
  await button(v.frame, 'Show answer').click();
  assert.equal(await masked(), 'none');
  await button(v.frame, 'Continue').click();
  await v.frame.getByRole('alert').filter({ hasText: 'enter your answer' }).waitFor();
  await field.fill('rex');
  await button(v.frame, 'Continue').click();
  await button(v.frame, 'Done').waitFor();
  assert.deepEqual(answers(), ['rex']);
  assert.deepEqual(await story(v), ['SCREEN_VIEW PROVIDER_MFA', ...END]);
  await v.leave();
});

test('a choice, with the keyboard: its id is sent, and the code after it is not called wrong', async () => {
  const v = await ask('mfa.choice');
  await v.frame.getByRole('radiogroup', { name: 'Where should we send your code?' }).waitFor();
  await button(v.frame, 'Continue').click();
  await v.frame.getByRole('alert').filter({ hasText: 'choose one' }).waitFor();
  const group = v.frame.getByRole('radiogroup');
  const told = await group.evaluate((element) => document.getElementById(element.getAttribute('aria-describedby')).textContent);
  assert.match(told, /choose one/);
  await v.tab.keyboard.press('Space');
  await v.tab.keyboard.press('ArrowDown');
  assert.ok(await v.frame.getByRole('radio', { name: 'E-mail to g•••n@domain.com' }).isChecked());
  await v.tab.keyboard.press('Enter');
  await code(v).waitFor();
  assert.equal(await v.frame.getByText('not right').count(), 0);
  await code(v).fill('12345');
  await button(v.frame, 'Continue').click();
  await button(v.frame, 'Done').waitFor();
  assert.deepEqual(answers(), ['email', '12345']);
  assert.deepEqual(await story(v), ['SCREEN_VIEW PROVIDER_MFA', 'SCREEN_VIEW PROVIDER_MFA', ...END]);
  await v.leave();
});

test('an approval on the phone: nothing is sent, it is one view, and the task goes on by itself', async () => {
  const v = await ask('mfa.push');
  await v.frame.getByText('ADP sent a request to the phone ending in 42.').waitFor();
  await button(v.frame, 'Done').waitFor();
  assert.deepEqual(answers(), []);
  assert.deepEqual(await story(v), ['SCREEN_VIEW PROVIDER_MFA', ...END]);
  await v.leave();
});

test('another method than the phone', async () => {
  const v = await ask('mfa.push');
  await button(v.frame, 'Use another method').click();
  await v.frame.getByRole('radio', { name: 'Text message to •••• 42' }).check();
  await button(v.frame, 'Continue').click();
  await code(v).fill('12345');
  await button(v.frame, 'Continue').click();
  await button(v.frame, 'Done').waitFor();
  assert.deepEqual(answers(), ['other', 'phone', '12345']);
  await v.leave();
});

test('a phone that says no: MFA_ERROR, and words that fit', async () => {
  const v = await ask('mfa.push_denied');
  await v.frame.getByRole('alert').filter({ hasText: 'was not approved' }).waitFor();
  const [error] = await v.details('ERROR');
  assert.equal(error.error.error_code, 'MFA_ERROR');
  assert.deepEqual(await story(v), ['SCREEN_VIEW PROVIDER_MFA', 'ERROR', 'SCREEN_VIEW PROVIDER_LOGIN']);
  await v.leave();
});

test('a question that takes the place of another', async () => {
  const v = await ask('mfa.push_then_code');
  await code(v).fill('12345');
  await button(v.frame, 'Continue').click();
  await button(v.frame, 'Done').waitFor();
  assert.deepEqual(await story(v), ['SCREEN_VIEW PROVIDER_MFA', 'SCREEN_VIEW PROVIDER_MFA', ...END]);
  await v.leave();
});

test('the same question once more: the answer was not right', async () => {
  const v = await ask('mfa.twice');
  await code(v).fill('00000');
  await button(v.frame, 'Continue').click();
  await v.frame.getByRole('alert').filter({ hasText: 'not right' }).waitFor();
  assert.ok(await code(v).evaluate((input) => document.activeElement === input && input.value === ''));
  await code(v).fill('12345');
  await button(v.frame, 'Continue').click();
  await button(v.frame, 'Done').waitFor();
  await v.leave();
});

test('a kind that this version does not know: a plain field under the server’s words', async () => {
  const v = await ask('mfa.new_kind');
  await v.frame.getByRole('textbox', { name: 'What walks on four legs in the morning?' }).fill('man');
  await button(v.frame, 'Continue').click();
  await button(v.frame, 'Done').waitFor();
  await v.leave();
});

test('an answer that does not get through stays on the screen, and one whose reply is lost goes on', async () => {
  const v = await ask('mfa');
  await code(v).fill('12345');
  mock.control.isDown = true;
  await button(v.frame, 'Continue').click();
  await v.frame.getByRole('alert').filter({ hasText: 'cannot be reached' }).waitFor();
  assert.equal(await code(v).inputValue(), '12345');
  mock.control.isDown = false;
  mock.control.losesAnswers = true;
  await button(v.frame, 'Continue').click();
  await button(v.frame, 'Done').waitFor();
  mock.control.losesAnswers = false;
  await v.leave();
});

test('Back from a question starts the sign-in over', async () => {
  const v = await ask('mfa.push');
  await button(v.frame, 'Back').click();
  await v.until('SCREEN_VIEW PROVIDER_LOGIN', 2);
  // The abandoned task is followed no more, whatever the phone says.
  await v.tab.waitForTimeout(3200);
  assert.deepEqual(await story(v), ['SCREEN_VIEW PROVIDER_MFA', 'SCREEN_VIEW PROVIDER_LOGIN']);
  await v.leave();
});
