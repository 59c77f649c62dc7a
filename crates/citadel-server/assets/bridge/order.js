// The page of an order: who asks, the employers one after another, and how far each is.
//
// Served under the address that a person was sent, and framed by bridge.js with `isOrder`. Each employer opens the same widget
// as anywhere else, through bridge.js on this page. Nothing is kept here: coming back shows what the server knows.
import { ApiError, createApi, patiently } from './api.js';
import { h, icon } from './dom.js';
import { connect } from './host.js';
import { createDress } from './look.js';
import { createShell } from './shell.js';

const ASKS = {
  income: 'confirm your income and employment',
  employment: 'confirm your employment',
  deposit_switch: 'change where your pay is deposited',
  pll: 'let a part of your pay repay a loan',
  admin: 'read your company’s payroll',
  fas: 'change the account that your company pays from',
};
const WORDS = {
  income: 'income',
  employment: 'employment',
  deposit_switch: 'direct deposit',
  pll: 'loan payments',
  admin: 'company payroll',
  fas: 'funding account',
};
const HEADINGS = {
  income: 'Confirm your income',
  employment: 'Confirm your employment',
  deposit_switch: 'Switch your direct deposit',
  pll: 'Link your paycheck',
  admin: 'Connect your payroll',
  fas: 'Switch your funding account',
};
const STATUSES = {
  pending: 'To do',
  sent: 'To do',
  completed: 'Connected',
  skipped: 'Skipped',
  canceled: 'Not needed any more',
  no_data: 'Nothing was found there. You can try again.',
  error: 'That did not work. You can try again.',
  expired: 'Too late',
};

async function openOrder() {
  const query = new URLSearchParams(location.search);
  const isPage = window.parent === window;
  let kind = isPage ? 'page' : 'dialog';
  if (!isPage && query.get('inline') === '1') kind = 'inline';
  const dress = createDress(document.documentElement, query.get('theme') || (isPage ? 'auto' : 'light'));
  const asked = isPage ? location.pathname.split('/').pop() : query.get('bridge_token') || '';
  const api = createApi(/^[0-9a-f]{32}$/.test(asked) ? asked : '');

  let order = null;
  let bridge = null; // the widget, while an employer is open
  let isOver = false;
  const leave = (reason) => {
    if (isOver) host.success();
    else host.exit(reason);
  };
  const shell = createShell(document.getElementById('bridge'), kind, { leave, dress });
  // A page of its own is closed with its tab.
  if (isPage) shell.card.querySelector('[aria-label="Close"]').hidden = true;
  const host = await connect(query, (message) => {
    if (message.t === 'close' && message.mode === 'onlyModal') {
      if (bridge) bridge.close();
    } else if (message.t === 'close') shell.askToLeave('escape');
    else if (message.t === 'focus') shell.refocus();
  });
  if (kind === 'inline' && typeof ResizeObserver === 'function') {
    new ResizeObserver(() => host.resize(shell.card.offsetHeight)).observe(shell.card);
  }

  async function read(call) {
    try {
      order = await patiently(call, shell.trouble, () => true);
      shell.introduce(order.client_name, order.environment === 'sandbox', order.look);
      show();
    } catch (error) {
      if (error instanceof ApiError && error.kind === 'refused' && order) return show();
      ended('This page is not valid any more', 'Ask whoever sent it to you for a new one.');
    }
  }

  const products = () => order.employers.map((employer) => employer.product_type);
  const who = () => order.client_name || 'The company that sent you here';

  function show() {
    if (order.status === 'canceled') return ended('This is not needed any more', who() + ' has taken it back. There is nothing to do.');
    if (order.status === 'expired') return ended('This page has expired', 'Ask ' + (order.client_name || 'whoever sent it to you') + ' for a new one.');
    if (order.status === 'completed') return completed();
    if (!order.is_consented) return welcome();
    list();
  }

  function welcome() {
    // Income tells the job as well.
    const told = products().filter((product) => product !== 'employment' || !products().includes('income'));
    const asks = Array.from(new Set(told.map((product) => ASKS[product] || 'connect your payroll')));
    const points = [
      'You choose your employer and sign in to your own payroll account.',
      'Your sign-in is used once and is not shown to ' + (order.client_name || 'anybody') + '.',
      'You can stop at any time, and come back to this page to go on.',
    ];
    shell.show({
      heading: HEADINGS[products()[0]] || 'Connect your payroll',
      lead: (order.first_name ? order.first_name + ', ' : '') + who() + ' asks you to ' + asks.join(', and to ') + '.',
      content: [
        h(
          'div',
          { class: 'consent' },
          h('ul', null, ...points.map((point) => h('li', null, icon('check'), h('span', null, point)))),
          h('p', { class: 'small' }, 'By continuing you allow ' + who() + ' to receive what you connect here.')
        ),
        h('button', { class: 'button order-go', type: 'button', onclick: () => read(api.consent) }, 'Continue'),
      ],
    });
  }

  function list() {
    const isOpen = (employer) => Boolean(employer.bridge_token);
    const next = order.employers.find(isOpen);
    const rows = order.employers.map((employer) => row(employer, employer === next));
    shell.show({
      heading: order.employers.length > 1 ? 'Connect your employers' : 'Connect your employer',
      lead: order.employers.length > 1 ? 'One after another. What is connected stays connected.' : 'Sign in to the payroll account that you use there.',
      content: [h('ul', { class: 'order-rows' }, ...rows)],
    });
  }

  // One employer that is asked for two things has two rows, which say what each is for.
  function nameOf(employer) {
    const name = employer.company_name || 'Your employer';
    const twins = order.employers.filter((other) => (other.company_name || 'Your employer') === name);
    const isAlone = twins.every((other) => other.product_type === employer.product_type);
    return isAlone ? name : name + ', ' + (WORDS[employer.product_type] || employer.product_type);
  }

  function row(employer, isNext) {
    const name = nameOf(employer);
    const done = employer.status === 'completed';
    const buttons = employer.bridge_token
      ? h(
          'div',
          { class: 'order-buttons' },
          h(
            'button',
            { class: 'button' + (isNext ? '' : ' button-plain'), type: 'button', 'aria-label': 'Connect ' + name, onclick: () => open(employer) },
            'Connect'
          ),
          h('button', { class: 'button button-quiet', type: 'button', 'aria-label': 'Skip ' + name, onclick: () => skip(employer) }, 'Skip')
        )
      : null;
    return h(
      'li',
      { class: 'order-row' },
      h(
        'div',
        { class: 'order-name' },
        icon(done ? 'check' : 'building'),
        h('span', { class: 'row-text' }, h('span', { class: 'row-name' }, name), h('span', { class: 'small' }, STATUSES[employer.status] || employer.status))
      ),
      buttons
    );
  }

  function open(employer) {
    bridge = window.CitadelBridge.init({
      bridgeToken: employer.bridge_token,
      theme: document.documentElement.getAttribute('data-theme'),
      onEvent: (type, payload) => host.event(type, payload, 'bridge'),
      onSuccess: again,
      onClose: again,
    });
    bridge.open();
  }

  function again() {
    bridge = null;
    read(api.order);
  }

  function skip(employer) {
    read(() => api.skip(employer.id));
  }

  function completed() {
    if (!isOver) host.event('COMPLETED', undefined, 'order');
    isOver = true;
    const connected = order.employers.filter((employer) => employer.status === 'completed').length;
    const isWhole = connected === order.employers.length;
    const lead = connected ? who() + (isWhole ? ' has what it asked for.' : ' has what you connected.') : 'Nothing was connected.';
    shell.show({
      heading: connected ? 'All done' : 'You skipped everything',
      lead: isPage ? lead + ' You can close this page.' : lead,
      visual: h('span', { class: 'badge' }, icon('check')),
      centred: true,
      content: isPage ? [] : [h('button', { class: 'button', type: 'button', onclick: () => leave('user_closed') }, 'Done')],
    });
  }

  function ended(heading, lead) {
    shell.show({
      heading,
      lead,
      visual: h('span', { class: 'badge badge-bad' }, icon('clock')),
      centred: true,
      content: isPage ? [] : [h('button', { class: 'button', type: 'button', onclick: () => leave('token_expired') }, 'Close')],
    });
  }

  host.load();
  // A person may come back to the tab after connecting elsewhere.
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && order && !bridge && !isOver) read(api.order);
  });
  await read(api.order);
}

openOrder();
