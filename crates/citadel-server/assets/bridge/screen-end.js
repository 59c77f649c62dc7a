// The screens that end a flow: success, an attempt that failed, a session that is over.
import { h, icon } from './dom.js';

function badge(kind, name) {
  return h('span', { class: 'badge badge-' + kind, 'aria-hidden': 'true' }, icon(name));
}

export function successScreen(texts, clientName, sourceName, done) {
  return {
    visual: badge('good', 'check'),
    centred: true,
    heading: 'You are connected',
    lead: texts.success,
    hint: 'Invented data, made for this sandbox.',
    content: [
      h(
        'dl',
        { class: 'summary' },
        h('div', null, h('dt', null, 'From'), h('dd', null, sourceName)),
        clientName ? h('div', null, h('dt', null, 'Shared with'), h('dd', null, clientName)) : null
      ),
      h('button', { class: 'button', type: 'button', onclick: done }, 'Done'),
    ],
  };
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
