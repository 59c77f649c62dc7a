// LOADING: what is happening, as three plain steps tied to the task's status. Shown while signing in, too.
import { h, icon } from './dom.js';

const SLOW_MS = 20000;
const BACKGROUND_MS = 90000;
const STEP_OF = { new: 0, login: 0, mfa: 0, parse: 1, full_parse: 2, switch_deposit: 2, done: 3 };
// Where something is changed, all reading is the second step, and the change is the third.
const STEP_OF_CHANGE = Object.assign({}, STEP_OF, { full_parse: 1 });

export function progressScreen(providerName, texts, startedAt, say) {
  const names = ['Signing in', texts.reading, texts.preparing];
  const steps = names.map((name) =>
    h('li', { class: 'step' }, h('span', { class: 'step-mark', 'aria-hidden': 'true' }, icon('check')), h('span', null, name))
  );
  const patience = h('p', { class: 'patience', role: 'status' });
  const timers = [];
  const stepOf = texts.change ? STEP_OF_CHANGE : STEP_OF;
  let current = -1;

  const later = (since, text) => {
    timers.push(setTimeout(() => {
      patience.textContent = text;
    }, Math.max(0, startedAt + since - Date.now())));
  };
  later(SLOW_MS, 'Some providers take a minute or two. You can keep this window open.');
  later(BACKGROUND_MS, 'This takes longer than usual. You may leave now: we will finish in the background.');

  return {
    heading: 'Connecting to ' + providerName,
    lead: 'This usually takes less than a minute.',
    centred: true,
    visual: h('span', { class: 'spinner', 'aria-hidden': 'true' }),
    content: [h('ol', { class: 'steps' }, ...steps), patience],
    update(status) {
      const next = status in stepOf ? stepOf[status] : current;
      if (next === current) return;
      current = next;
      steps.forEach((step, index) => {
        step.className = 'step' + (index < current ? ' step-done' : index === current ? ' step-now' : '');
        if (index === current) step.setAttribute('aria-current', 'step');
        else step.removeAttribute('aria-current');
      });
      if (names[current]) say(names[current] + '.');
    },
    leave: () => timers.forEach(clearTimeout),
  };
}

export function waitingScreen() {
  return { heading: 'One moment', centred: true, visual: h('span', { class: 'spinner', 'aria-hidden': 'true' }), content: [] };
}
