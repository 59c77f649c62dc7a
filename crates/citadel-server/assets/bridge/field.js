// One labelled text field, with a button to show what is masked.
import { h, midSentence, uniqueId } from './dom.js';

const CAN_MASK_TEXT = Boolean(window.CSS && CSS.supports && CSS.supports('-webkit-text-security', 'disc'));

/**
 * `field`: name, label, kind (text or password), autocomplete, hint; and for fields of our own noun (a short label), isCode,
 * prefix and suffix. `kept` is what was typed before; a masked field never gets any back.
 *
 * A secret that no password manager knows, such as an API key, is masked text instead of a password: then no browser
 * offers to save it as the password of this server.
 */
export function createField(field, kept) {
  const id = uniqueId('field');
  const isSecret = field.kind === 'password';
  const isMaskedText = isSecret && CAN_MASK_TEXT && !/password/.test(field.autocomplete || '');
  const hintId = field.hint ? uniqueId('hint') : null;
  const initial = isSecret ? '' : kept || '';
  const input = h('input', {
    class: 'input' + (field.isCode ? ' input-code' : '') + (field.prefix ? ' input-prefixed' : ''),
    id,
    name: field.name,
    type: isSecret && !isMaskedText ? 'password' : 'text',
    inputmode: field.isCode ? 'numeric' : field.prefix || field.suffix ? 'decimal' : null,
    maxlength: field.isCode ? '12' : null,
    autocomplete: field.autocomplete || 'off',
    autocapitalize: 'none',
    autocorrect: 'off',
    spellcheck: 'false',
    'aria-required': 'true',
    value: initial || null,
  });
  const reveal = h(
    'button',
    {
      class: 'reveal',
      type: 'button',
      'aria-label': 'Show ' + (field.noun || midSentence(field.label)),
      'aria-pressed': 'false',
      'aria-controls': id,
      onclick: () => setShown(reveal.getAttribute('aria-pressed') !== 'true'),
    },
    'Show'
  );
  let told = null; // the id of the error that this field is tied to

  function setShown(isShown) {
    if (isMaskedText) input.classList.toggle('input-masked', !isShown);
    else if (isSecret) input.type = isShown ? 'text' : 'password';
    reveal.setAttribute('aria-pressed', String(isShown));
    reveal.textContent = isShown ? 'Hide' : 'Show';
  }

  function describe() {
    const ids = [told, hintId].filter(Boolean).join(' ');
    if (ids) input.setAttribute('aria-describedby', ids);
    else input.removeAttribute('aria-describedby');
  }

  describe();
  if (isSecret) setShown(false);
  const unit = (kind) => (field[kind] ? h('span', { class: 'unit unit-' + kind, 'aria-hidden': 'true' }, field[kind]) : null);
  return {
    name: field.name,
    label: field.label,
    input,
    isSecret,
    node: h(
      'div',
      { class: 'field' },
      h('label', { for: id }, field.label),
      h('div', { class: 'field-box' }, unit('prefix'), input, isSecret ? reveal : unit('suffix')),
      field.hint ? h('p', { class: 'small', id: hintId }, field.hint) : null
    ),
    /** A secret is sent as it was typed; a space around anything else is an accident. */
    value: () => (isSecret ? input.value : input.value.trim()),
    isChanged: () => input.value !== '' && input.value !== initial,
    focus: () => input.focus(),
    clear() {
      input.value = '';
      if (isSecret) setShown(false);
    },
    setInvalid(errorId) {
      told = errorId;
      if (errorId) input.setAttribute('aria-invalid', 'true');
      else input.removeAttribute('aria-invalid');
      describe();
    },
  };
}
