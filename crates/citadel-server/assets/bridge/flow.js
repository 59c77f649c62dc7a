// One session from the first screen to the last: which screen comes next, which event says so, and what is sent.
//
// Screens know nothing of each other; they call back here. Events follow the published order: LOAD, OPEN, a
// SCREEN_VIEW per screen, LINK_CREATED per sign-in, LOGIN_COMPLETE once the provider let the person in, SUCCESS once.
import { patiently } from './api.js';
import { follow } from './task.js';
import { linkError, outcome, productTexts, requester } from './texts.js';
import { searchScreen } from './screen-search.js';
import { providersScreen } from './screen-providers.js';
import { loginScreen } from './screen-login.js';
import { codeScreen } from './screen-code.js';
import { progressScreen, waitingScreen } from './screen-progress.js';
import { errorScreen, expiredScreen, goodbyeScreen, successScreen } from './screen-end.js';

export function createFlow({ token, api, host, shell, companyHint }) {
  let session = null;
  let texts = productTexts('');
  let trail = []; // the screens behind this one, each a function that shows it again
  let screen = null;
  let typedQuery = null;
  let employer = null;
  let provider = null;
  let kept = {}; // what was typed and is not secret, for the next attempt
  let attempt = null;
  let success = null;
  let exitReason = '';
  let ended = false;

  // --- events --------------------------------------------------------------------------------------------------------

  function emit(type, more) {
    if (!ended) host.event(type, common(more));
  }

  /** Fields of every payload; a key without a value is left out. */
  function common(more) {
    const fields = Object.assign({ bridge_token: token, product_type: session ? session.product_type : undefined }, more);
    Object.keys(fields).forEach((key) => {
      if (fields[key] === undefined || fields[key] === null) delete fields[key];
    });
    return fields;
  }

  function taskData(task) {
    return {
      task_id: task.task_id,
      provider_id: task.provider_id || provider.id,
      employer: { name: employerName(task) },
      tracking_info: session.tracking_info,
      data_source: 'payroll',
    };
  }

  // Native parsers fail without a name: the provider stands in where there is no employer.
  function employerName(task) {
    return (task && task.employer && task.employer.name) || (employer && employer.name) || provider.name;
  }

  // --- moving between screens ----------------------------------------------------------------------------------------

  function show(viewName, next) {
    leaveScreen();
    screen = next;
    shell.show(next);
    emit('SCREEN_VIEW', { view_name: viewName });
  }

  function leaveScreen() {
    if (screen && screen.leave) screen.leave();
    screen = null;
  }

  function forward(step) {
    trail.push(step);
    step();
  }

  function previous() {
    return trail.length > 1 ? goBack : null;
  }

  function goBack() {
    trail.pop();
    trail[trail.length - 1]();
  }

  /** Back from a screen that is not on the trail (code, error) to the sign-in it belongs to. */
  function again() {
    abandon();
    trail[trail.length - 1]();
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
    const mine = trail.length;
    const isWanted = () => !ended && trail.length === mine;
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
    shell.introduce(session.client_name, session.environment === 'sandbox');
    opened();
    employer = session.company;
    provider = session.provider;
    if (employer) emit('EMPLOYER_SELECTED', { employer: { name: employer.name } });
    if (provider) forward(login);
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
    provider = found[0];
    kept = {};
    trail[trail.length - 1] = login;
    login();
  }

  /** For an employer whose provider is unknown, or the only one of whom failed: choose from all, the employer stays. */
  async function allProviders() {
    const found = await read(() => api.providers(''));
    if (found) showProviders(found);
  }

  function showProviders(found) {
    const pick = (chosen) => {
      provider = chosen;
      kept = {};
      if (!employer || !employer.name) emit('EMPLOYER_SELECTED', { employer: { name: chosen.name } });
      forward(login);
    };
    const list = providersScreen(found, employer && employer.name, pick);
    show('PROVIDER_LIST', Object.assign(list, { back: previous() }));
  }

  async function login(problem) {
    if (!provider.fields) {
      const full = await read(() => api.provider(provider.id));
      if (!full) return;
      if (full.fields.length === 0) return showError(outcome('not_supported', 'ERROR', full.name, ''));
      provider = full;
    }
    showLogin(problem);
  }

  function loginForm(problem) {
    const about = { provider, clientName: requester(session), shared: texts.shared, kept, error: problem };
    return Object.assign(loginScreen(about, signIn), { back: previous() });
  }

  function showLogin(problem) {
    show('PROVIDER_LOGIN', loginForm(problem));
  }

  /** Resolves to a problem the form can show while keeping what was typed. */
  async function signIn(values) {
    let task;
    try {
      const request = { provider_id: provider.id, login: values };
      if (employer) request.company_mapping_id = employer.company_mapping_id;
      task = await api.createTask(request);
    } catch (error) {
      if (error.kind === 'expired') return fail(error);
      return problemText(error);
    }
    if (ended) return undefined;
    kept = {};
    provider.fields.forEach((field) => {
      if (field.kind !== 'password') kept[field.name] = values[field.name];
    });
    emit('LINK_CREATED', taskData(task));
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
    const startedAt = Date.now();
    let onLogin = true; // still on PROVIDER_LOGIN, as far as the host has been told
    let questions = 0;

    const wait = (status) => {
      if (!screen || !screen.update) {
        leaveScreen();
        screen = progressScreen(provider.name, texts, startedAt, shell.say);
        shell.show(screen);
      }
      screen.update(status);
    };

    attempt = follow(api, first, {
      trouble: shell.trouble,
      progress: (task) => wait(task.status),
      loggedIn(task) {
        emit('LOGIN_COMPLETE', taskData(task));
        emit('SCREEN_VIEW', { view_name: 'LOADING' });
      },
      step(task, answer) {
        onLogin = false;
        questions += 1;
        const submit = async (text) => {
          try {
            await answer(text);
          } catch (error) {
            return error.kind === 'expired' ? fail(error) : problemText(error);
          }
          if (attempt) wait('mfa');
          return undefined;
        };
        const asked = codeScreen(task.step, provider.name, questions > 1, submit, again);
        show('PROVIDER_MFA', Object.assign(asked, { back: again }));
      },
      done(task, publicToken) {
        attempt = null;
        trail = [];
        success = Object.assign(taskData(task), { public_token: publicToken });
        emit('SUCCESS', success);
        show('SUCCESS', successScreen(texts, session.client_name, employerName(task), () => exit('user_closed')));
      },
      failed(task) {
        attempt = null;
        failed(task, onLogin);
      },
      broken: fail,
    });
  }

  function failed(task, onLogin) {
    const error = linkError(task);
    emit('ERROR', Object.assign(taskData(task), { error }));
    if (task.status === 'login_error') {
      const problem = 'That sign-in was not accepted by ' + provider.name + '. Please check it and try again.';
      if (!onLogin) return showLogin(problem);
      // The widget never left this screen, so it is not a new view.
      leaveScreen();
      screen = loginForm(problem);
      return shell.show(screen);
    }
    if (task.status === 'mfa_error') {
      return showLogin('That code was not accepted. Please sign in again to get a new one.');
    }
    showError(outcome(task.status, error.error_code, provider.name, error.error_message));
  }

  function showError(told) {
    const isFixed = !session || Boolean(session.provider);
    const other = () => {
      abandon();
      // A list the person came through is behind the sign-in; otherwise the full one takes its place.
      if (trail.indexOf(providers) >= 0) while (trail[trail.length - 1] !== providers) trail.pop();
      else trail[Math.max(0, trail.length - 1)] = allProviders;
      trail[trail.length - 1]();
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
