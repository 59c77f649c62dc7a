// PROVIDER_MFA, an approval on the person's phone. Nothing is typed: the task goes on by itself once the phone said yes.
import { h, icon } from './dom.js';

/** `other()` asks for another way and resolves to an error text, or nothing; it is there when `step.has_other`. */
export function pushScreen(step, providerName, other) {
  const problem = h('div', { class: 'error', role: 'alert', hidden: true });
  let isBusy = false;
  const ask = async () => {
    if (isBusy) return;
    isBusy = true;
    problem.hidden = true;
    const text = await other();
    isBusy = false;
    problem.textContent = text || '';
    problem.hidden = !text;
  };
  return {
    visual: h('span', { class: 'badge badge-wait', 'aria-hidden': 'true' }, icon('phone')),
    centred: true,
    heading: 'Approve on your phone',
    lead: providerName + ' sent a request to ' + (step.destination || 'your phone') + '. Approve it there, and we go on by ourselves.',
    hint: 'The phone answers by itself in a few seconds.',
    content: [
      h('p', { class: 'patience' }, 'Waiting for your approval…'),
      problem,
      step.has_other
        ? h('button', { class: 'button button-plain', type: 'button', onclick: ask }, 'Use another method')
        : null,
    ],
  };
}
