// SELECT_EMPLOYER: type-ahead over employers, a combobox by the ARIA pattern, with a way to the provider list.
import { h, icon, mark, replace, uniqueId } from './dom.js';

// Every key asks at once, so that a list is there before the next key. On a slow line the newest texts are asked for.
const MOST_RUNNING = 2;
const SKELETON_MS = 200;
const SHORTEST_QUERY = 2;

/** `on.pick(company)`, `on.byProvider()`. `query` is what was typed before, when coming back. */
export function searchScreen(api, texts, query, on, fail) {
  const listId = uniqueId('employers');
  let companies = [];
  let active = -1;
  let timer = 0;
  let running = []; // what was asked and is not answered, the newest last
  let asked = '';

  const input = h('input', {
    class: 'input input-search',
    type: 'text',
    role: 'combobox',
    'aria-label': 'Search for your employer',
    'aria-autocomplete': 'list',
    'aria-expanded': 'false',
    'aria-controls': listId,
    placeholder: 'Search for your employer',
    autocomplete: 'off',
    autocapitalize: 'words',
    autocorrect: 'off',
    spellcheck: 'false',
    enterkeyhint: 'search',
    value: query || null,
  });
  const list = h('ul', { class: 'rows', id: listId, role: 'listbox', 'aria-label': 'Employers', hidden: true });
  const note = h('div', { class: 'note' });
  const count = h('p', { class: 'visually-hidden', role: 'status' });

  function options() {
    return list.children;
  }

  function setActive(next) {
    if (active >= 0 && options()[active]) options()[active].setAttribute('aria-selected', 'false');
    active = next;
    const option = options()[active];
    if (!option) return input.removeAttribute('aria-activedescendant');
    option.setAttribute('aria-selected', 'true');
    input.setAttribute('aria-activedescendant', option.id);
    option.scrollIntoView({ block: 'nearest' });
  }

  function showNote(...children) {
    list.hidden = true;
    note.hidden = false;
    replace(note, ...children);
    input.setAttribute('aria-expanded', 'false');
    setActive(-1);
  }

  function showStart() {
    companies = [];
    replace(list);
    count.textContent = '';
    showNote(
      h('span', { class: 'note-icon' }, icon('building')),
      h('p', null, 'Type the company name as it appears on your pay stub.')
    );
  }

  function showSkeleton() {
    const rows = h('ul', { class: 'rows', 'aria-hidden': 'true' });
    for (let i = 0; i < 4; i += 1) {
      const bones = [h('span', { class: 'mark bone' }), h('span', { class: 'bone bone-text' })];
      rows.appendChild(h('li', { class: 'row row-empty' }, ...bones));
    }
    showNote(rows);
  }

  function showResults(text) {
    if (companies.length === 0) {
      count.textContent = 'No employer found.';
      return showNote(
        h('span', { class: 'note-icon' }, icon('search')),
        h('p', null, h('strong', null, 'No employer found for “' + text + '”')),
        h('p', null, 'Check the spelling, or search by your payroll provider: the name on your pay stub or pay website.')
      );
    }
    note.hidden = true;
    list.hidden = false;
    active = -1;
    input.removeAttribute('aria-activedescendant');
    input.setAttribute('aria-expanded', 'true');
    replace(list, ...companies.map(option));
    count.textContent = companies.length + (companies.length === 1 ? ' employer' : ' employers') + ' found.';
  }

  function option(company) {
    // Named by the employer alone; the domain tells namesakes apart.
    const domainId = uniqueId('domain');
    return h(
      'li',
      {
        class: 'row',
        role: 'option',
        id: uniqueId('employer'),
        'aria-selected': 'false',
        'aria-describedby': company.domain ? domainId : null,
        onmousedown: (event) => event.preventDefault(),
        onclick: () => pick(company),
      },
      mark(company.name, company.logo_url),
      h(
        'span',
        { class: 'row-text' },
        h('span', { class: 'row-name' }, company.name),
        company.domain ? h('span', { class: 'row-more', id: domainId, 'aria-hidden': 'true' }, company.domain) : null
      ),
      icon('next')
    );
  }

  function pick(company) {
    stop();
    on.pick(company, input.value);
  }

  function stop() {
    clearTimeout(timer);
    running.splice(0).forEach((one) => one.abort());
  }

  async function search() {
    const text = input.value.trim();
    if (text === asked && companies.length > 0) return;
    const mine = { aborted: false, abort() { this.aborted = true; if (this.onabort) this.onabort(); } };
    if (running.length === MOST_RUNNING) running.shift().abort();
    running.push(mine);
    asked = text;
    const slow = setTimeout(() => {
      if (!mine.aborted && companies.length === 0) showSkeleton();
    }, SKELETON_MS);
    try {
      const found = await api.companies(text, mine);
      if (mine.aborted) return;
      forget(mine);
      companies = found;
      showResults(text);
    } catch (error) {
      // When a newer text is on its way, its answer is the one that counts.
      if (mine.aborted || running[running.length - 1] !== mine) return;
      forget(mine);
      companies = [];
      if (error.kind === 'expired') return fail(error);
      showNote(
        h('span', { class: 'note-icon' }, icon('clock')),
        h('p', null, h('strong', null, error.kind === 'limit' ? 'One moment, please' : 'The search is not answering')),
        h('p', null, 'We keep trying.')
      );
      timer = setTimeout(search, (error.retryAfter || 2) * 1000);
    } finally {
      clearTimeout(slow);
    }
  }

  /** An answer is there: what was asked before it is of no use any more. */
  function forget(answered) {
    running.splice(0, running.indexOf(answered) + 1).forEach((one) => {
      one.aborted = true;
    });
  }

  input.addEventListener('input', () => {
    clearTimeout(timer);
    if (input.value.trim().length >= SHORTEST_QUERY) return search();
    stop();
    asked = '';
    showStart();
  });

  input.addEventListener('keydown', (event) => {
    const last = companies.length - 1;
    if (event.key === 'Escape' && active >= 0) {
      event.preventDefault();
      setActive(-1);
    } else if (list.hidden || last < 0) {
      if (event.key === 'Enter') event.preventDefault();
    } else if (event.key === 'ArrowDown') {
      event.preventDefault();
      setActive(active >= last ? 0 : active + 1);
    } else if (event.key === 'ArrowUp') {
      event.preventDefault();
      setActive(active <= 0 ? last : active - 1);
    } else if (event.key === 'Enter' && !event.isComposing) {
      event.preventDefault();
      if (active >= 0) pick(companies[active]);
      else setActive(0);
    }
  });

  showStart();
  if (query) search();
  return {
    heading: texts.search,
    lead: 'To ' + texts.purpose + ', we start with where you work.',
    hint: 'Any employer works. Try “Facebook”.',
    // On opening, the field itself; a touch keyboard would hide the rest, and later screens start at their heading.
    focus: query === null && window.matchMedia('(pointer: fine)').matches ? input : null,
    content: [
      h('div', { class: 'search' }, icon('search'), input),
      h('div', { class: 'results' }, list, note, count),
      h(
        'button',
        {
          class: 'button button-quiet',
          type: 'button',
          onclick: () => {
            stop();
            on.byProvider(input.value);
          },
        },
        'Search by payroll provider instead'
      ),
    ],
    leave: stop,
  };
}
