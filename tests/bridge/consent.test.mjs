// P20: what the person agrees to stands on the screen, whole, and every word of it comes from what the receipt's hash is made of.
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { startMock, TOKENS } from './mock-server.mjs';
import { button, chooseEmployer, launch, visit } from './browser.mjs';

const SERVER = new URL('../../crates/citadel-server/', import.meta.url);
const ASKER = 'Northwind Lending';

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

/** The files that src/consent.rs takes its words from. */
function hashed() {
  const source = readFileSync(new URL('src/consent.rs', SERVER), 'utf8');
  const files = [...source.matchAll(/include_str!\("\.\.\/(assets\/bridge\/[\w-]+\.js)"\)/g)].map((match) => match[1]);
  assert.ok(files.length > 0, 'src/consent.rs names its files');
  return files.map((file) => readFileSync(new URL(file, SERVER), 'utf8')).join('\n');
}

/** Each text on its own, as the scripts put them there. */
const textsOf = (consent) => consent.evaluate((node) => {
  const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode.data);
  return texts;
});

// Product, how to its sign-in form, and the screen: who, why, what, how long and how to stop.
const LATER = 'They may refresh this for 12 months, or until you stop it, on a page of your own that you get at the end.';
const CHECKED = 'They may check for 12 months that this still holds, or until you stop it, on a page of your own that you get at the end.';
const use = (provider) => `Your sign-in is used only to reach ${provider}. It is never shown to ${ASKER}.`;
const SCREENS = {
  income: [
    `By signing in to verify your income you let ${ASKER} receive:`,
    'Your name, address, birth date and SSN', 'Employer, job, pay, hours and deductions', 'Pay statements, W-2s and deposit accounts',
    LATER, use('ADP'),
  ],
  admin: [
    `By signing in to connect your company’s payroll you let ${ASKER} receive:`,
    'Everyone at your company: name, contact, birth date, SSN and job', 'Each payroll: pay, taxes and deductions of everyone',
    LATER, use('ADP'),
  ],
  deposit_switch: [
    `By signing in to change your direct deposit you let ${ASKER} make this change:`,
    'All of your pay goes to your TD Bank account ending in 2600', CHECKED, use('ADP'),
  ],
  pll: [
    `By signing in to set up your repayment you let ${ASKER} make this change:`,
    '$1.00 of each paycheck goes to your TD Bank account ending in 2600', CHECKED, use('ADP'),
  ],
  fas: [
    `By signing in to change your payroll funding account you let ${ASKER} change the account that pays your company’s payroll:`,
    'Payroll is paid from the TD Bank account ending in 2600', CHECKED, use('ADP'),
  ],
};

for (const [product, screen] of Object.entries(SCREENS)) {
  test(`p20: the receipt of ${product} is of the words on the screen`, async () => {
    const v = await visit(browser, mock, { token: TOKENS[product] });
    if (['admin', 'fas'].includes(product)) await button(v.frame, 'ADP').click();
    else await chooseEmployer(v.frame);
    const consent = v.frame.locator('.consent');
    const confirm = button(v.frame, 'Confirm');
    await consent.or(confirm).first().waitFor();
    if (await confirm.count()) await confirm.click();
    await consent.waitFor();

    const lines = (await consent.innerText()).split('\n').map((line) => line.trim()).filter(Boolean);
    assert.deepEqual(lines, screen);
    // It is on the screen of the button that agrees to it.
    assert.ok(await button(v.frame, 'Sign in').isVisible());

    // What comes from the token and from the provider is in the receipt by other ways; the rest is in the hashed files.
    const given = [ASKER, 'ADP', 'TD Bank', '2600', '1.00'];
    const source = hashed();
    for (const text of await textsOf(consent)) {
      let pieces = [text];
      for (const value of given) pieces = pieces.flatMap((piece) => piece.split(value));
      // The purpose and the kind of the change stand in sentences of their own.
      pieces = pieces.flatMap((piece) => piece.split(/By signing in to | you let |(?<=pay|paycheck) (?=goes)/));
      for (const piece of pieces.map((part) => part.trim()).filter(Boolean)) {
        assert.ok(source.includes(piece), `${JSON.stringify(piece)} of ${JSON.stringify(text)} is in no file that is hashed`);
      }
    }
    assert.deepEqual(v.problems, []);
    await v.leave();
  });
}
