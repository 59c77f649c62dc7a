// PROVIDER_MFA, typed answers: a code sent to the person, a security question, or whatever else the provider asks.
import { h } from './dom.js';
import { createField } from './field.js';
import { createForm } from './form.js';

const LONGEST_COUNTDOWN_MS = 30 * 60 * 1000;
const START_OVER_AFTER_MS = 30000;

/** What each kind says. A kind that this version does not know is a plain field under the server's own words. */
const KINDS = {
  code: {
    heading: 'Enter your code',
    field: { label: 'Code', kind: 'text', autocomplete: 'one-time-code', isCode: true },
    empty: 'Please enter the code.',
    wrong: 'That code was not right. Please try again.',
    hint: 'The code is 12345. Any other one fails.',
    read: (text) => text.replace(/[\s-]/g, ''),
  },
  question: {
    heading: 'One more question',
    field: { kind: 'password', autocomplete: 'off', noun: 'answer' },
    empty: 'Please enter your answer.',
    wrong: 'That answer was not right. Please try again.',
    hint: 'The answer is rex. Any other one fails.',
  },
  other: {
    heading: 'One more question',
    field: { kind: 'text', autocomplete: 'off' },
    empty: 'Please enter your answer.',
    wrong: 'That answer was not right. Please try again.',
  },
};

/** `submit(text)` resolves to an error text, or nothing when the flow went on. */
export function codeScreen(step, providerName, wasWrong, submit, startOver) {
  const isCode = step.kind === 'code';
  const kind = Object.prototype.hasOwnProperty.call(KINDS, step.kind) ? KINDS[step.kind] : KINDS.other;
  const field = createField(Object.assign({ name: 'answer', label: step.label || 'Answer' }, kind.field));
  const read = () => (kind.read ? kind.read(field.value()) : field.value().trim());
  const expiry = h('p', { class: 'small countdown', role: 'timer' });
  const again = h(
    'button',
    { class: 'button button-quiet button-below', type: 'button', hidden: true, onclick: () => startOver() },
    'No code? Start over'
  );
  const form = createForm({
    button: 'Continue',
    fields: [field],
    content: [field.node, expiry],
    check: () => (read() === '' ? { text: kind.empty, fields: [field] } : null),
    submit: () => submit(read()),
    sent: () => field.clear(),
  });

  // The server's clock decides; a sandbox clock may be far from ours, and then no countdown is shown.
  const end = Date.parse(step.expires_at || '');
  const tick = () => {
    const left = end - Date.now();
    const what = isCode ? 'The code is good for ' : 'Time left: ';
    if (!(left > 0 && left < LONGEST_COUNTDOWN_MS)) {
      expiry.textContent = left <= 0 && left > -LONGEST_COUNTDOWN_MS ? 'The time for this may be over.' : '';
      return;
    }
    const seconds = Math.floor(left / 1000);
    expiry.textContent = what + Math.floor(seconds / 60) + ':' + String(seconds % 60).padStart(2, '0');
  };
  tick();
  const ticking = setInterval(tick, 1000);
  const offering = isCode
    ? setTimeout(() => {
        again.hidden = false;
      }, START_OVER_AFTER_MS)
    : 0;

  if (wasWrong) form.showError(kind.wrong, [field]);
  return {
    heading: kind.heading,
    lead: howItCame(step, providerName),
    hint: kind.hint,
    focus: wasWrong ? field.input : null,
    unsaved: () => field.input.value !== '',
    content: [form.node, again],
    leave() {
      clearInterval(ticking);
      clearTimeout(offering);
      field.clear();
    },
  };
}

function howItCame(step, providerName) {
  if (step.destination) return providerName + ' sent a code to ' + step.destination + '.';
  if (step.kind === 'code') return providerName + ' sent you a code to check that it is you.';
  return providerName + ' asks this to check that it is you.';
}
