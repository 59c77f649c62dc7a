// PROVIDER_LIST: which payroll provider to sign in to, all of them or those of one employer.
import { h, icon, mark, replace } from './dom.js';

const FILTER_FROM = 7;

/** `where` says what is meant when there is no employer to name. */
export function providersScreen(providers, employerName, where, pick) {
  const rows = h('ul', { class: 'rows' });
  const note = h('div', { class: 'note', hidden: true });
  const count = h('p', { class: 'visually-hidden', role: 'status' });
  const filter = h('input', {
    class: 'input input-search',
    type: 'text',
    'aria-label': 'Filter payroll providers',
    placeholder: 'Filter payroll providers',
    autocomplete: 'off',
    autocorrect: 'off',
    spellcheck: 'false',
    oninput: () => fill(true),
  });

  function fill(isTyping) {
    const text = filter.value.trim().toLowerCase();
    const found = providers.filter((provider) => provider.name.toLowerCase().indexOf(text) >= 0);
    replace(
      rows,
      ...found.map((provider) =>
        h(
          'li',
          null,
          h(
            'button',
            { class: 'row', type: 'button', onclick: () => pick(provider) },
            mark(provider.name, provider.logo_url),
            h('span', { class: 'row-text row-name' }, provider.name),
            icon('next')
          )
        )
      )
    );
    note.hidden = found.length > 0;
    rows.hidden = found.length === 0;
    if (found.length === 0) {
      replace(
        note,
        h('span', { class: 'note-icon' }, icon('search')),
        h('p', null, h('strong', null, text ? 'No provider matches “' + filter.value.trim() + '”' : 'No provider found')),
        h('p', null, 'The name is often printed at the top of a pay stub, or in the address of the pay website.')
      );
    }
    if (isTyping) count.textContent = found.length + (found.length === 1 ? ' provider' : ' providers') + ' found.';
  }

  fill(false);
  return {
    heading: 'Choose your payroll provider',
    lead: employerName ? 'The website where ' + employerName + ' shows you your pay.' : where,
    hint: 'Any provider works.',
    content: [
      providers.length >= FILTER_FROM ? h('div', { class: 'search' }, icon('search'), filter) : null,
      h('div', { class: 'results' }, rows, note, count),
    ],
  };
}
