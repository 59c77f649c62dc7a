// PROVIDER_MFA: the provider asks for one more answer, most often a code sent to the person.
import { h, icon, replace, uniqueId } from './dom.js';

const LONGEST_COUNTDOWN_MS = 30 * 60 * 1000;
const START_OVER_AFTER_MS = 30000;

/** `submit(text)` resolves to an error text, or nothing when the flow went on. */
export function codeScreen(step, providerName, wasWrong, submit, startOver) {
  const isCode = step.kind === 'code';
  const label = isCode ? 'Code' : step.label;
  const id = uniqueId('answer');
  const errorId = uniqueId('error');
  const errorBox = h('div', { class: 'error', id: errorId, role: 'alert', hidden: true });
  const input = h('input', {
    class: 'input' + (isCode ? ' input-code' : ''),
    id,
    type: 'text',
    inputmode: isCode ? 'numeric' : null,
    autocomplete: isCode ? 'one-time-code' : 'off',
    autocapitalize: 'none',
    autocorrect: 'off',
    spellcheck: 'false',
    maxlength: isCode ? '12' : null,
    'aria-required': 'true',
  });
  const button = h('button', { class: 'button', type: 'submit' }, 'Continue');
  const expiry = h('p', { class: 'small countdown', role: 'timer' });
  const again = h(
    'button',
    { class: 'button button-quiet', type: 'button', hidden: true, onclick: () => startOver() },
    'No code? Start over'
  );
  let busy = false;

  function showError(text) {
    errorBox.hidden = !text;
    replace(errorBox, ...(text ? [icon('alert'), h('span', null, text)] : []));
    if (text) {
      input.setAttribute('aria-invalid', 'true');
      input.setAttribute('aria-describedby', errorId);
    } else {
      input.removeAttribute('aria-invalid');
      input.removeAttribute('aria-describedby');
    }
  }

  const form = h(
    'form',
    {
      class: 'form',
      novalidate: true,
      onsubmit: async (event) => {
        event.preventDefault();
        if (busy) return;
        const text = isCode ? input.value.replace(/[\s-]/g, '') : input.value.trim();
        if (text === '') {
          showError(isCode ? 'Please enter the code.' : 'Please enter your answer.');
          return input.focus();
        }
        showError('');
        busy = true;
        button.setAttribute('aria-disabled', 'true');
        button.classList.add('button-busy');
        const problem = await submit(text);
        busy = false;
        button.removeAttribute('aria-disabled');
        button.classList.remove('button-busy');
        if (problem) showError(problem);
        else input.value = '';
      },
    },
    errorBox,
    h('div', { class: 'field' }, h('label', { for: id }, label), input),
    expiry,
    button,
    again
  );

  // The server's clock decides; a sandbox clock may be far from ours, and then no countdown is shown.
  const end = Date.parse(step.expires_at || '');
  const tick = () => {
    const left = end - Date.now();
    if (!(left > 0 && left < LONGEST_COUNTDOWN_MS)) {
      expiry.textContent = left <= 0 && left > -LONGEST_COUNTDOWN_MS ? 'The code may have expired.' : '';
      return;
    }
    const seconds = Math.floor(left / 1000);
    expiry.textContent = 'The code is good for ' + Math.floor(seconds / 60) + ':' + String(seconds % 60).padStart(2, '0');
  };
  tick();
  const ticking = setInterval(tick, 1000);
  const offering = setTimeout(() => {
    again.hidden = false;
  }, START_OVER_AFTER_MS);

  if (wasWrong) showError(isCode ? 'That code was not right. Please try again.' : 'That answer was not right. Please try again.');
  return {
    heading: isCode ? 'Enter your code' : 'One more question',
    lead: step.destination
      ? providerName + ' sent a code to ' + step.destination + '.'
      : isCode
        ? providerName + ' sent you a code to check that it is you.'
        : providerName + ' asks this to check that it is you.',
    hint: isCode ? 'The code is 12345. Any other one fails.' : 'Any answer works.',
    unsaved: () => input.value !== '',
    content: [form],
    leave() {
      clearInterval(ticking);
      clearTimeout(offering);
      input.value = '';
    },
  };
}
