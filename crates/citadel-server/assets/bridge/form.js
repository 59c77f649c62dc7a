// A form with one button: its error, tied to the fields that it is about, and its busy state.
import { h, icon, replace, uniqueId } from './dom.js';

/**
 * `fields` have `setInvalid(errorId)` and `focus()`. `check()` returns a problem `{text, fields}` or nothing; `submit()`
 * resolves to an error text when nothing was sent, or to nothing when the flow went on, and then `sent()` is called.
 */
export function createForm({ button: label, fields, content, check, submit, sent }) {
  const errorId = uniqueId('error');
  const errorBox = h('div', { class: 'error', id: errorId, role: 'alert', hidden: true });
  const button = h('button', { class: 'button', type: 'submit' }, label);
  let isBusy = false;

  function showError(text, concerned) {
    errorBox.hidden = !text;
    replace(errorBox, ...(text ? [icon('alert'), h('span', null, text)] : []));
    fields.forEach((field) => field.setInvalid(text && (concerned || []).indexOf(field) >= 0 ? errorId : null));
  }

  function setBusy(busy) {
    isBusy = busy;
    // Not `disabled`: that would throw the focus out of the form.
    if (busy) button.setAttribute('aria-disabled', 'true');
    else button.removeAttribute('aria-disabled');
    button.classList.toggle('button-busy', busy);
  }

  async function send(event) {
    event.preventDefault();
    if (isBusy) return;
    const problem = check();
    if (problem) {
      showError(problem.text, problem.fields);
      return problem.fields[0].focus();
    }
    showError('');
    setBusy(true);
    const refusal = await submit();
    setBusy(false);
    // Not sent, so nothing is cleared: the person may press the button again.
    if (refusal) showError(refusal);
    else if (sent) sent();
  }

  return { node: h('form', { class: 'form', novalidate: true, onsubmit: send }, errorBox, ...content, button), showError };
}

/** The fields that were left empty, as a problem; nothing when all are filled in. */
export function missing(fields) {
  const empty = fields.filter((field) => field.value().trim() === '');
  if (empty.length === 0) return null;
  return { text: 'Please fill in ' + empty.map((field) => field.label).join(' and ') + '.', fields: empty };
}

/** One of several, as radio buttons. `options`: id, label. `on` hears each change. */
export function createRadios({ legend, isLegendHidden, options, chosen, on }) {
  const name = uniqueId('choice');
  const inputs = options.map((option) =>
    h('input', {
      type: 'radio', name, value: option.id, class: 'radio', checked: option.id === chosen, onchange: () => on && on(option.id),
    })
  );
  const rows = options.map((option, index) => h('label', { class: 'choice' }, inputs[index], h('span', null, option.label)));
  const group = h(
    'fieldset',
    { class: 'choices', role: 'radiogroup' },
    h('legend', { class: isLegendHidden ? 'visually-hidden' : null }, legend),
    ...rows
  );
  return {
    node: group,
    value() {
      const found = inputs.find((input) => input.checked);
      return found ? found.value : '';
    },
    focus: () => (inputs.find((input) => input.checked) || inputs[0]).focus(),
    setInvalid(errorId) {
      if (errorId) group.setAttribute('aria-describedby', errorId);
      else group.removeAttribute('aria-describedby');
      if (errorId) group.setAttribute('aria-invalid', 'true');
      else group.removeAttribute('aria-invalid');
    },
  };
}
