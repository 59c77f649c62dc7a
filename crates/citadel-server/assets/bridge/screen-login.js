// PROVIDER_LOGIN: the fields the server names, one button, and a plain word on who gets what.
//
// A password lives in its input and in one request body; it is cleared from the page as soon as it is sent.
import { h, icon, mark, replace, uniqueId } from './dom.js';

const TEST_LOGINS = [
  ['goodlogin', 'goodpassword', 'works'],
  ['goodlogin', 'mfa', 'asks for code 12345'],
  ['goodlogin', 'longcheck', 'takes long'],
  ['error.user', 'unavailable', 'ends with that status'],
];

/**
 * `about`: provider (with fields), clientName, shared (lines), kept (values typed before, no secrets), error (text).
 * `submit(login)` gets the values by field name and resolves to an error text, or nothing when the flow went on.
 */
export function loginScreen(about, submit) {
  const { provider } = about;
  const errorId = uniqueId('error');
  const errorBox = h('div', { class: 'error', id: errorId, role: 'alert', hidden: true });
  const fields = provider.fields.map((field) => createField(field, about.kept[field.name], errorId));
  const button = h('button', { class: 'button', type: 'submit' }, 'Sign in');
  let busy = false;

  function showError(text, isFieldError) {
    errorBox.hidden = !text;
    replace(errorBox, ...(text ? [icon('alert'), h('span', null, text)] : []));
    if (!isFieldError) fields.forEach((field) => field.setInvalid(Boolean(text)));
  }

  const form = h(
    'form',
    {
      class: 'form',
      novalidate: true,
      onsubmit: async (event) => {
        event.preventDefault();
        if (busy) return;
        const empty = fields.filter((field) => field.input.value.trim() === '');
        fields.forEach((field) => field.setInvalid(empty.indexOf(field) >= 0));
        if (empty.length > 0) {
          showError('Please fill in ' + empty.map((field) => field.label).join(' and ') + '.', true);
          return empty[0].input.focus();
        }
        showError('');
        busy = true;
        button.setAttribute('aria-disabled', 'true');
        button.classList.add('button-busy');
        const login = {};
        fields.forEach((field) => {
          login[field.name] = field.isSecret ? field.input.value : field.input.value.trim();
        });
        const problem = await submit(login);
        busy = false;
        button.removeAttribute('aria-disabled');
        button.classList.remove('button-busy');
        // Not sent, so nothing is cleared: the person may press the button again.
        if (problem) showError(problem, true);
        else fields.forEach((field) => field.isSecret && field.clear());
      },
    },
    errorBox,
    ...fields.map((field) => field.node),
    button
  );

  if (about.error) showError(about.error);
  const secret = fields.find((field) => field.isSecret && field.input.value === '');
  return {
    visual: mark(provider.name, provider.logo_url, 'large'),
    heading: 'Sign in to ' + provider.name,
    lead: 'Use the sign-in of your ' + provider.name + ' account.',
    hint: testHint(fields),
    focus: about.error && secret ? secret.input : null,
    unsaved: () => fields.some((field) => field.input.value !== '' && field.input.value !== field.initial),
    content: [
      form,
      provider.forgot_password_url && /^https:/.test(provider.forgot_password_url)
        ? h(
            'a',
            { class: 'forgot', href: provider.forgot_password_url, target: '_blank', rel: 'noopener noreferrer' },
            'Forgot your password?'
          )
        : null,
      consent(about),
    ],
    leave: () => fields.forEach((field) => field.isSecret && field.clear()),
  };
}

function consent(about) {
  return h(
    'div',
    { class: 'consent' },
    h('p', null, 'By signing in you let ', h('strong', null, about.clientName), ' receive:'),
    h('ul', null, ...about.shared.map((line) => h('li', null, icon('check'), h('span', null, line)))),
    h(
      'p',
      { class: 'small' },
      'Your sign-in is used only to reach ' + about.provider.name + '. It is never shown to ' + about.clientName + '.'
    )
  );
}

function createField(field, kept, errorId) {
  const id = uniqueId('field');
  const isSecret = field.kind === 'password';
  const hintId = field.hint ? uniqueId('hint') : null;
  const initial = isSecret ? '' : kept || '';
  const input = h('input', {
    class: 'input',
    id,
    name: field.name,
    type: isSecret ? 'password' : 'text',
    autocomplete: field.autocomplete || 'off',
    autocapitalize: 'none',
    autocorrect: 'off',
    spellcheck: 'false',
    'aria-required': 'true',
    'aria-describedby': hintId,
    value: initial || null,
  });
  const reveal = h(
    'button',
    {
      class: 'reveal',
      type: 'button',
      'aria-label': 'Show ' + field.label.toLowerCase(),
      'aria-pressed': 'false',
      'aria-controls': id,
      onclick: () => setShown(input.type === 'password'),
    },
    'Show'
  );

  function setShown(shown) {
    input.type = shown ? 'text' : 'password';
    reveal.setAttribute('aria-pressed', String(shown));
    reveal.textContent = shown ? 'Hide' : 'Show';
  }

  return {
    name: field.name,
    label: field.label,
    input,
    isSecret,
    initial,
    node: h(
      'div',
      { class: 'field' },
      h('label', { for: id }, field.label),
      h('div', { class: 'field-box' }, input, isSecret ? reveal : null),
      field.hint ? h('p', { class: 'small', id: hintId }, field.hint) : null
    ),
    clear() {
      input.value = '';
      setShown(false);
    },
    setInvalid(isInvalid) {
      if (isInvalid) input.setAttribute('aria-invalid', 'true');
      else input.removeAttribute('aria-invalid');
      const described = [isInvalid ? errorId : null, hintId].filter(Boolean).join(' ');
      if (described) input.setAttribute('aria-describedby', described);
      else input.removeAttribute('aria-describedby');
    },
  };
}

/** The sandbox logins, each a button that fills the form in. */
function testHint(fields) {
  const fill = (user, password) => {
    const values = [user, password];
    fields.slice(0, 2).forEach((field, index) => {
      field.input.value = values[index];
    });
    tests.open = false;
    fields[0].input.focus();
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
