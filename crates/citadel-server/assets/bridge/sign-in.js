// The screens of one provider, from what it asks for to the end of a task: company, account, sign-in, questions.
//
// The order is the product's: an account that pay goes to is confirmed before the sign-in, one that payroll is paid from
// after it. A sign-in is held no longer than its request takes, or than the screen that asks to confirm is there.
import { startAttempt } from './attempt.js';
import { askedShare, changeName } from './deposit.js';
import { employerName, taskData } from './events.js';
import { linkError, outcome, refusal, requester } from './texts.js';
import { depositScreen } from './screen-deposit.js';
import { organizationScreen } from './screen-organization.js';
import { loginScreen } from './screen-login.js';
import { successScreen } from './screen-end.js';

/**
 * `state` is the flow's: session, texts, employer, provider. `flow` is what it does for us: `emit`, `read`, `fail`,
 * `showError`, `succeed(data)`, `exit`, `isEnded`.
 */
export function createSignIn({ api, shell, nav, state, flow }) {
  let way = 0; // which of the provider's ways to sign in is shown
  let kept = {}; // what was typed and is not secret, for the next attempt
  let share = null; // how much of the pay goes to the account
  let held = null; // a sign-in that waits for the confirmation of the account
  let isConfirmed = false;
  let attempt = null;

  const dataOf = (task) => taskData(task, state.session, state.employer, state.provider);

  function begin() {
    kept = {};
    way = 0;
    isConfirmed = false;
    if (state.session.account) share = askedShare(state.session.account);
    nav.forward(enter);
  }

  /** Asks what the provider wants to know; the first of its screens takes this step's place. */
  async function enter() {
    const full = await flow.read(() => api.provider(state.provider.id));
    if (!full) return;
    if (full.ways.length === 0) return flow.showError(outcome('not_supported', 'ERROR', full.name, ''));
    state.provider = full;
    nav.dropLast();
    nav.forward(stepsToSignIn()[0]);
  }

  function stepsToSignIn() {
    const steps = [login];
    if (state.provider.organization) steps.unshift(organization);
    if (state.session.account && state.session.account.purpose === 'deposit') steps.unshift(confirm);
    return steps;
  }

  function forwardFrom(step) {
    const steps = stepsToSignIn();
    nav.forward(steps[steps.indexOf(step) + 1]);
  }

  function organization() {
    const { name } = state.provider.organization;
    const next = organizationScreen(state.provider, kept[name], async () => forwardFrom(organization));
    const leave = () => {
      kept[name] = next.typed();
    };
    nav.show('PROVIDER_ORG_ID', Object.assign(next, { back: nav.back(), leave }));
  }

  /** Before the sign-in for a person's pay; after it for a company's payroll, where `held` waits. */
  function confirm() {
    const { account } = state.session;
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
    const words = state.texts.change && state.texts.change[account.action];
    const next = depositScreen({ account, share, texts: words || { heading: 'Please confirm', lead: null } }, on);
    nav.show('DEPOSIT_CONFIRM', Object.assign(next, { back: nav.back() }));
  }

  function login(problem) {
    nav.show('PROVIDER_LOGIN', loginForm(problem));
  }

  function loginForm(problem) {
    const { account } = state.session;
    const { ways } = state.provider;
    const next = (way + 1) % ways.length;
    const about = {
      provider: state.provider,
      way: ways[way],
      other: next === way ? null : ways[next],
      isRepair: state.session.is_repair,
      clientName: requester(state.session),
      purpose: state.texts.purpose,
      consent: state.texts.consent,
      lines: account ? [changeName(account, share)] : state.texts.shared,
      kept,
      error: problem,
    };
    const switchWay = () => {
      way = next;
      nav.replace(loginForm());
    };
    return Object.assign(loginScreen(about, { submit: signIn, switchWay }), { back: nav.back() });
  }

  /** Resolves to a problem the form can show while keeping what was typed. */
  async function signIn(values) {
    state.provider.ways[way].fields.forEach((field) => {
      if (field.kind !== 'password') kept[field.name] = values[field.name];
    });
    if (!state.session.account || state.session.account.purpose === 'deposit' || isConfirmed) return createTask(values);
    held = values;
    return nav.forward(confirm);
  }

  async function createTask(values) {
    const { account } = state.session;
    const { name } = state.provider.organization || {};
    const request = { provider_id: state.provider.id, login: Object.assign({}, values, name ? { [name]: kept[name] } : null) };
    if (state.employer) request.company_mapping_id = state.employer.company_mapping_id;
    // The form from which this comes says who receives what.
    request.consented = true;
    if (account) request.confirmed = true;
    if (account && account.purpose === 'deposit' && account.action !== 'delete' && !account.is_fixed) request.deposit = share;
    const mine = nav.moves();
    let task;
    try {
      task = await api.createTask(request);
    } catch (error) {
      if (error.kind === 'expired') return flow.fail(error);
      return problemText(error);
    }
    if (flow.isEnded()) return undefined;
    flow.emit('LINK_CREATED', dataOf(task));
    if (nav.moves() !== mine) return undefined; // gone back meanwhile: the task ends by itself
    // Whatever comes of it, the way back leads to the sign-in: an account is confirmed once.
    nav.cutAfter(login);
    run(task);
    return undefined;
  }

  function problemText(error) {
    if (error.kind === 'network') return 'The server cannot be reached. Please try again.';
    if (error.kind === 'limit' && error.retryAfter) return 'Too many attempts. Please wait ' + error.retryAfter + ' seconds.';
    return error.message;
  }

  // --- a task --------------------------------------------------------------------------------------------------------

  function stop() {
    if (attempt) attempt.stop();
    attempt = null;
  }

  /** Back from a screen that is not on the trail (a question, an error) to the sign-in it belongs to. */
  function again() {
    stop();
    nav.showLast();
  }

  function run(first) {
    stop();
    attempt = startAttempt(first, { api, shell, texts: state.texts, providerName: state.provider.name }, {
      view: (asked) => nav.show('PROVIDER_MFA', Object.assign(asked, { back: again })),
      replace: nav.replace,
      startOver: again,
      problemText,
      loggedIn(task) {
        flow.emit('LOGIN_COMPLETE', dataOf(task));
        nav.tellView('LOADING');
      },
      done(task, publicToken) {
        attempt = null;
        nav.clear();
        flow.succeed(Object.assign(dataOf(task), { public_token: publicToken }));
        const sourceName = employerName(task, state.employer, state.provider);
        const about = { texts: state.texts, account: state.session.account, share, clientName: state.session.client_name, sourceName };
        about.ownPage = first.your_data_path;
        nav.show('SUCCESS', successScreen(about, () => flow.exit('user_closed')));
      },
      failed,
      broken: flow.fail,
    });
  }

  /** `kind` is that of the question asked last, if any. */
  function failed(task, kind) {
    attempt = null;
    const error = linkError(task);
    flow.emit('ERROR', Object.assign(dataOf(task), { error }));
    if (task.status === 'login_error' || task.status === 'mfa_error') {
      const form = loginForm(refusal(task.status, state.provider.name, kind));
      // Where the widget never left this screen, as far as the host knows, it is not a new view.
      if (nav.view() === 'PROVIDER_LOGIN') nav.replace(form);
      else nav.show('PROVIDER_LOGIN', form);
      return;
    }
    // A company code that the provider does not know is one of these, so the way back leads to it.
    if (task.status === 'config_error' && state.provider.organization) nav.cutAfter(organization);
    flow.showError(outcome(task.status, error.error_code, state.provider.name, error.error_message));
  }

  return {
    begin,
    stop,
    again,
    /** Drops this provider's screens from the trail. */
    leave: () => nav.cutBefore([enter, confirm, organization, login]),
  };
}
