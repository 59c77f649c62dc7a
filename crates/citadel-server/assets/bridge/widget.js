// Entry of the widget: reads the address, finds the host, builds the card, starts the flow.
//
// The same code serves the framed widget and the page in a native web view. Follow one session in flow.js.
import { createApi } from './api.js';
import { createFlow } from './flow.js';
import { connect } from './host.js';
import { createDress } from './look.js';
import { createShell } from './shell.js';

const params = new URLSearchParams(location.search);

async function main() {
  const isPage = window.parent === window;
  let kind = isPage ? 'page' : 'dialog';
  if (!isPage && params.get('inline') === '1') kind = 'inline';
  const dress = createDress(document.documentElement, params.get('theme') || 'light');

  let flow = null;
  let early = ''; // somebody may leave before the host has answered
  const leave = (reason) => {
    if (flow) flow.exit(reason);
    else early = reason;
  };
  const shell = createShell(document.getElementById('bridge'), kind, { leave, dress });
  if (isPage) {
    // Called by native hosts. The external sign-in calls do nothing: the sign-in form is always there.
    window.bridge = {
      back: () => shell.backOr(() => leave('user_closed')),
      onExternalLoginSuccess() {},
      onExternalLoginCancel() {},
      onOAuthResult() {},
    };
  }

  const host = await connect(params, (message) => {
    if (message.t === 'close') shell.askToLeave('escape');
    else if (message.t === 'focus') shell.refocus();
  });
  if (kind === 'inline' && typeof ResizeObserver === 'function') {
    new ResizeObserver(() => host.resize(shell.card.offsetHeight)).observe(shell.card);
  }
  // Strict: the server decides by this very text who may frame the page, and `fetch` would trim what it sends.
  const asked = params.get('bridge_token') || '';
  const token = /^[0-9a-f]{32}$/.test(asked) ? asked : '';
  flow = createFlow({ token, api: createApi(token), host, shell, companyHint: params.get('company') || '' });
  await flow.start(early);
}

main();
