// One session from the first screen to the last: which screen comes next, which event says so, and what is sent.
//
// Screens know nothing of each other; they call back here. Events follow the published order: LOAD, OPEN, a
// SCREEN_VIEW per screen, LINK_CREATED per sign-in, LOGIN_COMPLETE once the provider let the person in, SUCCESS once.
// The ways of the products differ in two places only: where they begin, and when the account is confirmed.
import { patiently } from './api.js';
import { startAttempt } from './attempt.js';
import { askedShare, changeName } from './deposit.js';
import { employerName, payload, taskData } from './events.js';
import { linkError, outcome, productTexts, refusal, requester } from './texts.js';
import { depositScreen } from './screen-deposit.js';
import { searchScreen } from './screen-search.js';
import { providersScreen } from './screen-providers.js';
import { organizationScreen } from './screen-organization.js';
import { loginScreen } from './screen-login.js';
import { waitingScreen } from './screen-progress.js';
import { errorScreen, expiredScreen, goodbyeScreen, successScreen } from './screen-end.js';

export function createFlow({ token, api, host, shell, companyHint }) {
  let session = null;
  let texts = productTexts('');
  let trail = []; // the screens behind this one, each a function that shows it again
  let moves = 0; // one more with each step, so that what was asked for before can tell that it comes too late
  let screen = null;
  let view = ''; // the last SCREEN_VIEW
  let typedQuery = null;
  let employer = null;
  let provider = null;
  let way = 0; // which of the provider's ways to sign in is shown
  let kept = {}; // what was typed and is not secret, for the next attempt
  let share = null; // how much of the pay goes to the account
  let held = null; // a sign-in that waits for the confirmation of the account; never longer than that screen is there
  let isConfirmed = false;
  let attempt = null;
  let success = null;
  let exitReason = '';
  let ended = false;

  // --- events --------------------------------------------------------------------------------------------------------

  const common = (more) => payload(token, session, more);
  const dataOf = (task) => taskData(task, session, employer, provider);

  function emit(type, more) {
    if (!ended) host.event(type, common(more));
  }

  // --- moving between screens ----------------------------------------------------------------------------------------

  function show(viewName, next) {
    replace(next);
    tellView(viewName);
  }

  /** Shows a screen that is no new view. */
  function replace(next) {
    leaveScreen();
    screen = next;
    shell.show(next);
  }

  function tellView(viewName) {
    view = viewName;
    emit('SCREEN_VIEW', { view_name: viewName });
  }

  function leaveScreen() {
    if (screen && screen.leave) screen.leave();
    screen = null;
  }

  /** A step that is on its way already, by a second click, starts anew. */
  function forward(step) {
    if (trail[trail.length - 1] !== step) trail.push(step);
    showLast();
  }

  function previous() {
    return trail.length > 1 ? goBack : null;
  }

  function goBack() {
    trail.pop();
    showLast();
  }

  function showLast() {
    moves += 1;
    trail[trail.length - 1]();
  }

  /** Back from a screen that is not on the trail (code, error) to the sign-in it belongs to. */
  function again() {
    abandon();
    showLast();
  }

  function exit(reason) {
    if (ended) return;
    abandon();
    leaveScreen();
    const closing = common();
    ended = true;
    if (success) host.success(success.public_token, { task_id: success.task_id, employer: success.employer }, closing);
    else host.exit(exitReason || reason, closing);
    if (host.kind === 'page') shell.show(goodbyeScreen());
  }

  /** A call failed in a way that trying again cannot mend. */
  function fail(error) {
    if (ended) return;
    abandon();
    if (error.kind === 'expired') {
      exitReason = 'token_expired';
      return show('ERROR', expiredScreen(() => exit('token_expired')));
    }
    showError(outcome('error', 'ERROR', '', error.message));
  }

  /** Reads something a screen needs; null when the person has gone elsewhere meanwhile. */
  async function read(call) {
    const slow = showSlow();
    const mine = moves;
    const isWanted = () => !ended && moves === mine;
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
      session = await patiently(api.session, shell.trouble, () => !ended);
    } catch (error) {
      if (ended) return;
      opened();
      return fail(error);
    } finally {
      clearTimeout(slow);
    }
    if (ended) return;
    texts = productTexts(session.product_type);
    if (session.account) share = askedShare(session.account);
    shell.introduce(session.client_name, session.environment === 'sandbox');
    opened();
    employer = session.company;
    provider = session.provider;
    if (employer) emit('EMPLOYER_SELECTED', { employer: { name: employer.name } });
    if (provider) forwardToProvider();
    else if (session.first_view === 'SELECT_EMPLOYER') hinted();
    else forward(providers);
  }

  /** The page may name the employer too; the token's own value came first. */
  function hinted() {
    if (!companyHint) return forward(search);
    employer = { company_mapping_id: companyHint, name: '' };
    forward(providers);
  }

  function search() {
    employer = null;
    provider = null;
    const on = {
      pick(company, query) {
        typedQuery = query;
        employer = company;
        emit('EMPLOYER_SELECTED', { employer: { name: company.name } });
        forward(providers);
      },
      byProvider(query) {
        typedQuery = query;
        forward(providers);
      },
    };
    show('SELECT_EMPLOYER', searchScreen(api, texts.purpose, typedQuery, on, fail));
  }

  /** The employer's providers: one of them needs no choice. */
  async function providers() {
    const found = await read(() => api.providers(employer ? employer.company_mapping_id : ''));
    if (!found) return;
    if (found.length === 0 && employer) return allProviders();
    if (found.length > 1 || !employer) return showProviders(found);
    trail.pop();
    choose(found[0]);
  }

  /** For an employer whose provider is unknown, or the only one of whom failed: choose from all, the employer stays. */
  async function allProviders() {
    const found = await read(() => api.providers(''));
    if (found) showProviders(found);
  }

  function showProviders(found) {
    const list = providersScreen(found, employer && employer.name, texts.where, choose);
    show('PROVIDER_LIST', Object.assign(list, { back: previous() }));
  }

  function choose(chosen) {
    provider = chosen;
    if (!employer || !employer.name) emit('EMPLOYER_SELECTED', { employer: { name: chosen.name } });
    forwardToProvider();
  }

  // --- a provider's screens ------------------------------------------------------------------------------------------

  function forwardToProvider() {
    kept = {};
    way = 0;
    isConfirmed = false;
    forward(enter);
  }

  /** Asks what the provider wants to know; the first of its screens takes this step's place. */
  async function enter() {
    const full = await read(() => api.provider(provider.id));
    if (!full) return;
    if (full.ways.length === 0) return showError(outcome('not_supported', 'ERROR', full.name, ''));
    provider = full;
    trail.pop();
    forward(stepsToSignIn()[0]);
  }

  function stepsToSignIn() {
    const steps = [login];
    if (provider.organization) steps.unshift(organization);
    if (session.account && session.account.purpose === 'deposit') steps.unshift(confirm);
    return steps;
  }

  function forwardFrom(step) {
    const steps = stepsToSignIn();
    forward(steps[steps.indexOf(step) + 1]);
  }

  function organization() {
    const { name } = provider.organization;
    const next = organizationScreen(provider, kept[name], async () => forwardFrom(organization));
    const leave = () => {
      kept[name] = next.typed();
    };
    show('PROVIDER_ORG_ID', Object.assign(next, { back: previous(), leave }));
  }

  /** Before the sign-in for a person's pay; after it for a company's payroll, where `held` waits. */
  function confirm() {
    const { account } = session;
    const on = {
      async submit(chosen) {
        share = chosen;
        isConfirmed = true;
        if (held) return createTask(held);
        return forwardFrom(confirm);
      },
      isHolding: () => held !== null,
      leave() {
        held = null;
      },
    };
    const words = texts.change && texts.change[account.action];
    const next = depositScreen({ account, share, texts: words || { heading: 'Please confirm', lead: null } }, on);
    show('DEPOSIT_CONFIRM', Object.assign(next, { back: previous() }));
  }

  function login(problem) {
    show('PROVIDER_LOGIN', loginForm(problem));
  }

  function loginForm(problem) {
    const { account } = session;
    const { ways } = provider;
    const next = (way + 1) % ways.length;
    const about = {
      provider,
      way: ways[way],
      other: next === way ? null : ways[next],
      isRepair: session.is_repair,
      clientName: requester(session),
      consent: texts.consent,
      lines: account ? [changeName(account, share)] : texts.shared,
      kept,
      error: problem,
    };
    const switchWay = () => {
      way = next;
      replace(loginForm());
    };
    return Object.assign(loginScreen(about, { submit: signIn, switchWay }), { back: previous() });
  }

  /** Resolves to a problem the form can show while keeping what was typed. */
  async function signIn(values) {
    provider.ways[way].fields.forEach((field) => {
      if (field.kind !== 'password') kept[field.name] = values[field.name];
    });
    if (!session.account || session.account.purpose === 'deposit' || isConfirmed) return createTask(values);
    held = values;
    return forward(confirm);
  }

  async function createTask(values) {
    const { account } = session;
    const { name } = provider.organization || {};
    const request = { provider_id: provider.id, login: Object.assign({}, values, name ? { [name]: kept[name] } : null) };
    if (employer) request.company_mapping_id = employer.company_mapping_id;
    if (account) request.confirmed = true;
    if (account && account.purpose === 'deposit' && account.action !== 'delete' && !account.is_fixed) request.deposit = share;
    const mine = moves;
    let task;
    try {
      task = await api.createTask(request);
    } catch (error) {
      if (error.kind === 'expired') return fail(error);
      return problemText(error);
    }
    if (ended) return undefined;
    emit('LINK_CREATED', dataOf(task));
    if (moves !== mine) return undefined; // gone back meanwhile: the task ends by itself
    // Whatever comes of it, the way back leads to the sign-in: an account is confirmed once.
    trail.length = trail.lastIndexOf(login) + 1;
    run(task);
    return undefined;
  }

  function problemText(error) {
    if (error.kind === 'network') return 'The server cannot be reached. Please try again.';
    if (error.kind === 'limit' && error.retryAfter) return 'Too many attempts. Please wait ' + error.retryAfter + ' seconds.';
    return error.message;
  }

  // --- a task --------------------------------------------------------------------------------------------------------

  function abandon() {
    if (attempt) attempt.stop();
    attempt = null;
  }

  function run(first) {
    abandon();
    attempt = startAttempt(first, { api, shell, texts, providerName: provider.name }, {
      view: (asked) => show('PROVIDER_MFA', Object.assign(asked, { back: again })),
      replace,
      startOver: again,
      problemText,
      loggedIn(task) {
        emit('LOGIN_COMPLETE', dataOf(task));
        tellView('LOADING');
      },
      done(task, publicToken) {
        attempt = null;
        trail = [];
        success = Object.assign(dataOf(task), { public_token: publicToken });
        emit('SUCCESS', success);
        const sourceName = employerName(task, employer, provider);
        const about = { texts, account: session.account, share, clientName: session.client_name, sourceName };
        show('SUCCESS', successScreen(about, () => exit('user_closed')));
      },
      failed,
      broken: fail,
    });
  }

  /** `kind` is that of the question asked last, if any. */
  function failed(task, kind) {
    attempt = null;
    const error = linkError(task);
    emit('ERROR', Object.assign(dataOf(task), { error }));
    if (task.status === 'login_error' || task.status === 'mfa_error') {
      const form = loginForm(refusal(task.status, provider.name, kind));
      // Where the widget never left this screen, as far as the host knows, it is not a new view.
      if (view === 'PROVIDER_LOGIN') replace(form);
      else show('PROVIDER_LOGIN', form);
      return;
    }
    // A company code that the provider does not know is one of these, so the way back leads to it.
    if (task.status === 'config_error' && provider.organization) trail.length = trail.lastIndexOf(organization) + 1;
    showError(outcome(task.status, error.error_code, provider.name, error.error_message));
  }

  function showError(told) {
    const isFixed = !session || Boolean(session.provider);
    const other = () => {
      abandon();
      // A list the person came through is behind the provider's screens; otherwise the full one takes their place.
      const first = trail.findIndex((step) => [enter, confirm, organization, login].indexOf(step) >= 0);
      if (first >= 0) trail.length = first;
      if (trail.length > 0 && trail[trail.length - 1] !== search) showLast();
      else forward(allProviders);
    };
    const retry = session ? (trail.length > 0 ? again : null) : () => begin(() => {});
    exitReason = 'error';
    const on = { retry: retry && clearing(retry), other: isFixed ? null : clearing(other), leave: () => exit('error') };
    show('ERROR', errorScreen(told, on));
  }

  function clearing(step) {
    return () => {
      exitReason = '';
      step();
    };
  }

  return { start, exit };
}
