// PROVIDER_ORG_ID: which company's site of the provider to sign in to. It comes before the sign-in, as it does there.
import { mark } from './dom.js';
import { createField } from './field.js';
import { createForm, missing } from './form.js';

/** `submit(text)` goes on to the next screen; `kept` is what was typed before. */
export function organizationScreen(provider, kept, submit) {
  const help = 'It is in the address where you sign in, or in the e-mail that invited you. Your payroll department knows it too.';
  const field = createField(Object.assign({}, provider.organization, { hint: provider.organization.hint || help }), kept);
  const form = createForm({
    button: 'Continue',
    fields: [field],
    content: [field.node],
    check: () => missing([field]),
    submit: () => submit(field.value()),
  });
  return {
    visual: mark(provider.name, provider.logo_url, 'large'),
    heading: 'Which company?',
    lead: provider.name + ' asks for this before you sign in.',
    hint: 'Any works, but “unknown”.',
    unsaved: () => field.isChanged(),
    content: [form.node],
    /** Kept even when the person goes back with it half typed. */
    typed: () => field.value(),
  };
}
