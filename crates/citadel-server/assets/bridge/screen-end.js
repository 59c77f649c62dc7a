// The screens that end a flow: success, an attempt that failed, a session that is over.
import { changeName, shareName } from './deposit.js';
import { h, icon } from './dom.js';

function badge(kind, name) {
  return h('span', { class: 'badge badge-' + kind, 'aria-hidden': 'true' }, icon(name));
}

/** `about`: texts, clientName, sourceName, the path of the person's own page, and for a change: account and share. */
export function successScreen(about, done) {
  const { texts, account, share } = about;
  const row = (name, value) => h('div', null, h('dt', null, name), h('dd', null, value));
  const hasShare = account && account.purpose === 'deposit' && account.action !== 'delete';
  const isGone = account && account.action === 'delete';
  return {
    visual: badge('good', 'check'),
    centred: true,
    heading: (!isGone && texts.title) || (isGone ? 'It is done' : 'You are connected'),
    lead: account ? changeName(account, share) + '. ' + (isGone ? '' : texts.success) : texts.success,
    hint: 'Invented data, made for this sandbox.',
    content: [
      h(
        'dl',
        { class: 'summary' },
        row(account ? 'At' : 'From', about.sourceName),
        account ? row('Account', (account.bank_name ? account.bank_name + ' ' : '') + '•••• ' + account.account_last4) : null,
        hasShare ? row('Share', shareName(share)) : null,
        !account && about.clientName ? row('Shared with', about.clientName) : null
      ),
      h('button', { class: 'button', type: 'button', onclick: done }, texts.done),
      about.ownPage ? ownPage(about.ownPage) : null,
    ],
  };
}

/** A page of its own: the widget goes when its host takes it away, and the address is worth keeping. */
function ownPage(path) {
  const link = h('a', { href: path, target: '_blank', rel: 'noopener noreferrer' }, 'See or stop what you share');
  return h('p', { class: 'small' }, link, ' opens a page that is yours. Keep its address.');
}

/** `told`: title, text and which ways on exist; `on.retry`, `on.other` are absent when they lead nowhere. */
export function errorScreen(told, on) {
  const buttons = [];
  if (told.retry && on.retry) buttons.push(h('button', { class: 'button', type: 'button', onclick: on.retry }, 'Try again'));
  if (told.other && on.other) {
    const kind = buttons.length > 0 ? 'button button-plain' : 'button';
    buttons.push(h('button', { class: kind, type: 'button', onclick: on.other }, 'Choose another provider'));
  }
  if (buttons.length === 0) buttons.push(h('button', { class: 'button', type: 'button', onclick: on.leave }, 'Return'));
  return { visual: badge('warn', 'alert'), centred: true, heading: told.title, lead: told.text, content: buttons };
}

export function expiredScreen(leave) {
  return {
    visual: badge('warn', 'clock'),
    centred: true,
    heading: 'This session has ended',
    lead: 'For your safety it is open for a limited time only. Please go back and start again.',
    content: [h('button', { class: 'button', type: 'button', onclick: leave }, 'Return')],
  };
}

/** After leaving a page that no app took away. */
export function goodbyeScreen() {
  return { centred: true, heading: 'All done', lead: 'You can leave this page now.', content: [] };
}
