// One session from the first screen to the last: which screen comes next, which event says so, and what is sent.
//
// Screens know nothing of each other; they call back here. Events follow the published order: LOAD, OPEN, a
// SCREEN_VIEW per screen, LINK_CREATED per sign-in, LOGIN_COMPLETE once the provider let the person in, SUCCESS once.
// The ways of the products differ in two places only: where they begin, and when the account is confirmed.
import { patiently } from './api.js';
import { payload } from './events.js';
import { createNavigation } from './navigation.js';
import { createSignIn } from './sign-in.js';
import { outcome, productTexts } from './texts.js';
import { searchScreen } from './screen-search.js';
import { providersScreen } from './screen-providers.js';
import { waitingScreen } from './screen-progress.js';
import { errorScreen, expiredScreen, goodbyeScreen } from './screen-end.js';

export function createFlow({ token, api, host, shell, companyHint }) {
  const state = { session: null, texts: productTexts('', {}), employer: null, provider: null };
  const nav = createNavigation(shell, (viewName) => {
    emit('SCREEN_VIEW', { view_name: viewName });
    api.screen(viewName);
  });
  const succeed = (data) => {
    success = data;
    emit('SUCCESS', data);
  };
  const flow = { emit, read, fail, showError, succeed, exit, isEnded: () => ended };
  const signIn = createSignIn({ api, shell, nav, state, flow });
  let typedQuery = null;
  let success = null;
  let exitReason = '';
  let ended = false;

  const common = (more) => payload(token, state.session, more);

  function emit(type, more) {
    if (!ended) host.event(type, common(more));
  }

  function exit(reason) {
    if (ended) return;
    signIn.stop();
    nav.leaveScreen();
    const closing = common();
    ended = true;
    if (success) host.success(success.public_token, { task_id: success.task_id, employer: success.employer }, closing);
    else host.exit(exitReason || reason, closing);
    if (host.kind === 'page') shell.show(goodbyeScreen());
  }

  /** A call failed in a way that trying again cannot mend. */
  function fail(error) {
    if (ended) return;
    signIn.stop();
    if (error.kind === 'expired') {
      exitReason = 'token_expired';
      return nav.show('ERROR', expiredScreen(() => exit('token_expired')));
    }
    showError(outcome('error', 'ERROR', '', error.message));
  }

  /** Reads something a screen needs; null when the person has gone elsewhere meanwhile. */
  async function read(call) {
    const slow = showSlow();
    const mine = nav.moves();
    const isWanted = () => !ended && nav.moves() === mine;
    try {
      const answer = await patiently(call, shell.trouble, isWanted);
      return isWanted() ? answer : null;
    } catch (error) {
      if (isWanted()) fail(error);
      return null;
    } finally {
      clearTimeout(slow);
    }
  }

  /** A short read leaves the screen as it is; a longer one says so. It is not a view of its own. */
  function showSlow() {
    return setTimeout(() => shell.show(waitingScreen()), 400);
  }

  // --- the steps -----------------------------------------------------------------------------------------------------

  /** `left` is set when the person closed the card before the host could hear of it. */
  async function start(left) {
    host.load();
    if (left) return exit(left);
    await begin(() => emit('OPEN'));
  }

  async function begin(opened) {
    const slow = showSlow();
    try {
      state.session = await patiently(api.session, shell.trouble, () => !ended);
    } catch (error) {
      if (ended) return;
      opened();
      return fail(error);
    } finally {
      clearTimeout(slow);
    }
    if (ended) return;
    const look = state.session.look || {};
    state.texts = productTexts(state.session.product_type, look);
    shell.introduce(state.session.client_name, state.session.environment === 'sandbox', look);
    opened();
    state.employer = state.session.company;
    state.provider = state.session.provider;
    if (state.employer) emit('EMPLOYER_SELECTED', { employer: { name: state.employer.name } });
    if (state.provider) signIn.begin();
    else if (state.session.first_view === 'SELECT_EMPLOYER') hinted();
    else nav.forward(providers);
  }

  /** The page may name the employer too; the token's own value came first. */
  function hinted() {
    if (!companyHint) return nav.forward(search);
    state.employer = { company_mapping_id: companyHint, name: '' };
    nav.forward(providers);
  }

  function search() {
    state.employer = null;
    state.provider = null;
    const on = {
      pick(company, query) {
        typedQuery = query;
        state.employer = company;
        emit('EMPLOYER_SELECTED', { employer: { name: company.name } });
        nav.forward(providers);
      },
      byProvider(query) {
        typedQuery = query;
        nav.forward(providers);
      },
    };
    nav.show('SELECT_EMPLOYER', searchScreen(api, state.texts, typedQuery, on, fail));
  }

  /** The employer's providers: one of them needs no choice. */
  async function providers() {
    const found = await read(() => api.providers(state.employer ? state.employer.company_mapping_id : ''));
    if (!found) return;
    if (found.length === 0 && state.employer) return allProviders();
    if (found.length > 1 || !state.employer) return showProviders(found);
    nav.dropLast();
    choose(found[0]);
  }

  /** For an employer whose provider is unknown, or the only one of whom failed: choose from all, the employer stays. */
  async function allProviders() {
    const found = await read(() => api.providers(''));
    if (found) showProviders(found);
  }

  function showProviders(found) {
    const list = providersScreen(found, state.employer && state.employer.name, state.texts.where, choose);
    nav.show('PROVIDER_LIST', Object.assign(list, { back: nav.back() }));
  }

  function choose(chosen) {
    state.provider = chosen;
    if (!state.employer || !state.employer.name) emit('EMPLOYER_SELECTED', { employer: { name: chosen.name } });
    signIn.begin();
  }

  function showError(told) {
    const isFixed = !state.session || Boolean(state.session.provider);
    const other = () => {
      signIn.stop();
      signIn.leave();
      // A list the person came through is behind that provider's screens; otherwise the full one takes their place.
      if (nav.last() && nav.last() !== search) nav.showLast();
      else nav.forward(allProviders);
    };
    const retry = state.session ? (nav.last() ? signIn.again : null) : () => begin(() => {});
    exitReason = 'error';
    const on = { retry: retry && clearing(retry), other: isFixed ? null : clearing(other), leave: () => exit('error') };
    nav.show('ERROR', errorScreen(told, on));
  }

  function clearing(step) {
    return () => {
      exitReason = '';
      step();
    };
  }

  return { start, exit };
}
