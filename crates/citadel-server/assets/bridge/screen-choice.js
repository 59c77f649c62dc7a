// PROVIDER_MFA, a choice: most often where the provider shall send a code.
import { createForm, createRadios } from './form.js';

/** `submit(id)` sends the id of the chosen option and resolves to an error text, or nothing when the flow went on. */
export function choiceScreen(step, providerName, submit) {
  const radios = createRadios({ legend: step.label, isLegendHidden: true, options: step.options });
  const form = createForm({
    button: 'Continue',
    fields: [radios],
    content: [radios.node],
    check: () => (radios.value() === '' ? { text: 'Please choose one.', fields: [radios] } : null),
    submit: () => submit(radios.value()),
  });
  return {
    heading: step.label,
    lead: providerName + ' asks this to check that it is you.',
    hint: 'Any works. The code is 12345.',
    content: [form.node],
  };
}
