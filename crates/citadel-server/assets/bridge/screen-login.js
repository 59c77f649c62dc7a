// PROVIDER_LOGIN: the fields the server names, one button, and a plain word on who gets what.
//
// A password lives in its input and in one request body; it is cleared from the page as soon as it is sent.
import { h, icon, mark, midSentence } from './dom.js';
import { createField } from './field.js';
import { createForm, missing } from './form.js';

const TEST_LOGINS = [
  ['goodlogin', 'goodpassword', 'works'],
  ['goodlogin', 'mfa', 'asks for code 12345'],
  ['goodlogin', 'mfa.question', 'asks a question: rex'],
  ['goodlogin', 'mfa.choice', 'asks where a code goes'],
  ['goodlogin', 'mfa.push', 'waits for a phone'],
  ['goodlogin', 'longcheck', 'takes long'],
  ['error.user', 'unavailable', 'ends with that status'],
];
const TEST_KEY = 'Skx8LTnyrLiw4SYk8xfkRwOt5OGQbNulypqdsqd';

/**
 * `about`: provider, way and other (label and fields of this way to sign in, and the next one or null), isRepair,
 * clientName, purpose and consent (texts), lines (what is agreed to), kept (values typed before, no secrets), error (text).
 * `on.submit(login)` gets the values by field name and resolves to an error text, or nothing when the flow went on;
 * `on.switchWay()` shows the other way.
 */
export function loginScreen(about, on) {
  const { provider, way, other } = about;
  const fields = way.fields.map((field) => createField(field, about.kept[field.name]));
  const secrets = fields.filter((field) => field.isSecret);
  const form = createForm({
    button: 'Sign in',
    fields,
    content: fields.map((field) => field.node),
    check: () => missing(fields),
    submit() {
      const login = {};
      fields.forEach((field) => {
        login[field.name] = field.value();
      });
      return on.submit(login);
    },
    sent: () => secrets.forEach((field) => field.clear()),
  });
  if (about.error) form.showError(about.error, fields);
  return {
    visual: mark(provider.name, provider.logo_url, 'large'),
    heading: (about.isRepair ? 'Sign in again to ' : 'Sign in to ') + provider.name,
    lead: lead(about),
    hint: isKey(fields) ? keyHint(fields[0]) : loginHint(fields),
    focus: about.error && secrets[0] ? secrets[0].input : null,
    unsaved: () => fields.some((field) => field.isChanged()),
    content: [
      form.node,
      other
        ? h('button', { class: 'button button-quiet button-below', type: 'button', onclick: on.switchWay }, 'Use ' + midSentence(other.label) + ' instead')
        : null,
      forgotLink(provider),
      consent(about),
    ],
    leave: () => secrets.forEach((field) => field.clear()),
  };
}

function lead({ provider, isRepair, way }) {
  if (isRepair) return 'A new sign-in keeps your connection to ' + provider.name + ' going.';
  if (isKey(way.fields)) return 'Use an API key that was made in ' + provider.name + '.';
  return 'Use the sign-in of your ' + provider.name + ' account.';
}

const isKey = (fields) => fields.length === 1 && fields[0].name === 'api_key';

function forgotLink(provider) {
  const url = provider.forgot_password_url;
  if (!url || !/^https:/.test(url)) return null;
  return h('a', { class: 'forgot', href: url, target: '_blank', rel: 'noopener noreferrer' }, 'Forgot your password?');
}

/** Who, what, why, how long and how to stop. The receipt's hash is of this file too: src/consent.rs. */
function consent({ provider, clientName, purpose, consent: texts, lines }) {
  return h(
    'div',
    { class: 'consent' },
    h('p', null, 'By signing in to ' + purpose + ' you let ', h('strong', null, clientName), ' ' + texts.to),
    h('ul', null, ...lines.map((line) => h('li', null, icon('check'), h('span', null, line)))),
    h('p', { class: 'small' }, texts.later),
    h('p', { class: 'small' }, 'Your sign-in is used only to reach ' + provider.name + '. It is never shown to ' + clientName + '.')
  );
}

/** The sandbox logins, each a button that fills the form in. */
function loginHint(fields) {
  const fill = (user, password) => {
    const values = [user, password];
    fields.slice(0, 2).forEach((field, index) => {
      field.input.value = values[index];
    });
    tests.open = false;
    fields[0].focus();
  };
  const rows = TEST_LOGINS.map(([user, password, effect]) =>
    h(
      'li',
      null,
      h(
        'button',
        { type: 'button', class: 'test-login', onclick: () => fill(user, password) },
        h('code', null, user + ' / ' + password)
      ),
      ' ' + effect
    )
  );
  const tests = h(
    'details',
    { class: 'tests' },
    h('summary', null, 'Use ', h('code', null, 'goodlogin'), ' / ', h('code', null, 'goodpassword')),
    h('ul', null, ...rows)
  );
  return tests;
}

function keyHint(field) {
  const fill = () => {
    field.input.value = TEST_KEY;
    field.focus();
  };
  return h('button', { type: 'button', class: 'test-login', onclick: fill }, 'Fill in the sandbox key');
}
