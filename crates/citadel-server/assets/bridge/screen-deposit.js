// DEPOSIT_CONFIRM: the account that the change is about, how much of the pay goes there, and one button.
import { h, uniqueId } from './dom.js';
import { limitOf, readShare, shareName, shortPercent } from './deposit.js';
import { createField } from './field.js';
import { createForm, createRadios } from './form.js';

const SHARES = { entire: 'All of my pay', percent: 'A percentage', amount: 'A fixed amount' };
const VALUES = {
  percent: { name: 'percent', label: 'Percent of each paycheck', kind: 'text', suffix: '%', limit: (value) => shortPercent(value) + '%' },
  amount: { name: 'amount', label: 'Amount of each paycheck', kind: 'text', prefix: '$', limit: (value) => '$' + value },
};

/**
 * `about`: account, texts (heading and lead), share (what is chosen so far). `on.submit(share)` resolves to an error text,
 * or nothing when the flow went on; `on.leave()` hears that the screen is gone.
 */
export function depositScreen(about, on) {
  const { account } = about;
  const isDelete = account.action === 'delete';
  const choice = isDelete || account.purpose === 'funding' || account.is_fixed ? null : createChoice(account, about.share);
  const consent = isDelete ? createCheckbox('Yes, stop using this account') : null;
  const fields = [...(choice ? choice.fields : []), ...(consent ? [consent] : [])];
  const form = createForm({
    button: 'Confirm',
    fields,
    content: [choice && choice.node, consent && consent.node],
    check() {
      const problem = choice && choice.check();
      if (problem) return problem;
      return consent && !consent.isChecked() ? { text: 'Please tick the box to go on.', fields: [consent] } : null;
    },
    submit: () => on.submit(choice ? choice.share() : about.share),
  });
  return {
    heading: about.texts.heading,
    lead: about.texts.lead,
    hint: 'No money moves. Any account works.',
    unsaved: () => Boolean(on.isHolding && on.isHolding()),
    content: [summary(account, choice || isDelete ? null : about.share), form.node],
    leave: on.leave,
  };
}

function summary(account, share) {
  const type = account.account_type === 'savings' ? 'Savings' : 'Checking';
  const row = (name, value) => h('div', null, h('dt', null, name), h('dd', null, value));
  return h(
    'dl',
    { class: 'summary' },
    row(account.bank_name || 'Account', h('span', null, type + ' ', ending(account.account_last4))),
    row('Routing number', account.routing_number),
    share && account.purpose !== 'funding' ? row('Goes there', shareName(share)) : null
  );
}

/** Dots for the eye, words for the ear. */
function ending(last4) {
  return h(
    'span',
    null,
    h('span', { 'aria-hidden': 'true' }, '•••• '),
    h('span', { class: 'visually-hidden' }, 'ending in '),
    last4
  );
}

/** Which share of the pay: the kinds that the server allows, and a number where the kind needs one. */
function createChoice(account, share) {
  const kinds = account.choices.filter((kind) => Object.prototype.hasOwnProperty.call(SHARES, kind));
  const first = kinds.indexOf(share.deposit_type) >= 0 ? share.deposit_type : kinds[0] || 'entire';
  const values = {};
  kinds.forEach((kind) => {
    if (kind === 'entire') return;
    const limit = limitOf(account, kind);
    const hint = limit ? 'At most ' + VALUES[kind].limit(limit) + '.' : null;
    const kept = share.deposit_type === kind ? share.deposit_value : limit;
    values[kind] = createField(Object.assign({ hint }, VALUES[kind]), kept && kind === 'percent' ? shortPercent(kept) : kept);
  });
  const options = kinds.map((id) => ({ id, label: SHARES[id] }));
  const radios = kinds.length > 1 ? createRadios({ legend: 'How much goes there?', options, chosen: first, on: showValue }) : null;
  const chosen = () => (radios ? radios.value() : first);
  const read = () => readShare(account, chosen(), values[chosen()] ? values[chosen()].value() : '');

  function showValue() {
    Object.keys(values).forEach((kind) => {
      values[kind].node.hidden = kind !== chosen();
    });
  }

  showValue();
  const alone = radios || values[first] ? null : h('p', { class: 'fixed-share' }, shareName({ deposit_type: 'entire' }) + ' goes there.');
  return {
    node: h('div', null, radios && radios.node, ...Object.keys(values).map((kind) => values[kind].node), alone),
    fields: [...(radios ? [radios] : []), ...Object.keys(values).map((kind) => values[kind])],
    check() {
      const { problem } = read();
      return problem ? { text: problem, fields: [values[chosen()]] } : null;
    },
    share: () => read().share,
  };
}

function createCheckbox(label) {
  const input = h('input', { type: 'checkbox', class: 'radio', id: uniqueId('agree') });
  return {
    node: h('label', { class: 'choice choice-alone' }, input, h('span', null, label)),
    isChecked: () => input.checked,
    focus: () => input.focus(),
    setInvalid(errorId) {
      if (errorId) {
        input.setAttribute('aria-invalid', 'true');
        input.setAttribute('aria-describedby', errorId);
      } else {
        input.removeAttribute('aria-invalid');
        input.removeAttribute('aria-describedby');
      }
    },
  };
}
