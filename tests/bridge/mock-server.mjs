// A stand-in for the server, for the browser side alone: the real assets with their real headers, and the widget's
// protocol with the sandbox logins over a few invented records. Host pages are served on an origin of their own.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const ASSETS = fileURLToPath(new URL('../../crates/citadel-server/assets/', import.meta.url));
const TYPES = { html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8' };

export const WIDGET_CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
  "connect-src 'self'; form-action 'none'; base-uri 'none'; require-trusted-types-for 'script'";

// What the server does to scripts and styles before it sends them: pages/joined.rs says why, and checks their form.
const trimmed = (text) => text.replace(/^ *\/\*[^]*?\*\/\n|^ *\/\/.*\n/gm, '').replace(/^ +/gm, (spaces) => spaces.slice(spaces.length / 2));
// The loader is not indented at all.
const flat = (text) => trimmed(text).replace(/^ +/gm, '');
async function joined(name, done = new Set()) {
  if (done.has(name)) return '';
  done.add(name);
  const text = await readFile(`${ASSETS}bridge/${name}`, 'utf8');
  let before = '';
  for (const [, module] of text.matchAll(/^import .* from '\.\/(.*)';$/gm)) before += await joined(module, done);
  return `${before}\n// ${name}\n${trimmed(text).replace(/^import .*\n/gm, '').replace(/^export /gm, '')}`;
}

const PROVIDERS = ['ADP', 'Paychex', 'Gusto', 'Workday', 'UKG', 'Paylocity', 'Paycom', 'Rippling', 'BambooHR', 'Ceridian Dayforce', 'Infor'];
const ASK_FOR_COMPANY_CODE = ['infor'];
const COMPANIES = [
  ['Facebook', 'facebook.com', ['adp']],
  ['Fabrikam Foods', 'fabrikam.example', ['adp', 'workday', 'gusto']],
  ['Falcon Ridge Logistics', 'falconridge.example', ['paychex', 'ukg']],
  ['Family Table Restaurants', null, ['paycom']],
  ['Fallow Field Dairy', null, ['infor']],
  ['Home Depot', 'homedepot.com', ['workday']],
];

const slug = (name) => name.toLowerCase().replace(/\W+/g, '_');
const companies = COMPANIES.map(([name, domain, providers], index) => ({
  company_mapping_id: String(index + 1).padStart(32, '0'), name, domain, logo_url: null, providers,
}));
const providers = PROVIDERS.map((name) => ({ id: slug(name), name, logo_url: `/bridge/marks/${slug(name)}.svg` }));

// --- sign-ins ----------------------------------------------------------------------------------------------------------

export const TEST_KEY = 'Skx8LTnyrLiw4SYk8xfkRwOt5OGQbNulypqdsqd';
const CODE = { kind: 'code', label: 'Enter the 5-digit code that we sent you', destination: '•••• 42' };
const QUESTION = { kind: 'question', label: 'What was the name of your first pet?' };
const CHOICE = {
  kind: 'choice', label: 'Where should we send your code?',
  options: [{ id: 'phone', label: 'Text message to •••• 42' }, { id: 'email', label: 'E-mail to g•••n@domain.com' }],
};
const PUSH = { kind: 'push', label: 'Approve the sign-in on your phone', destination: 'the phone ending in 42', has_other: true };
const NEW_KIND = { kind: 'riddle', label: 'What walks on four legs in the morning?' };
const RIGHT = { code: '12345', question: 'rex', riddle: 'man' };
const ENDS = {
  income: ['parse', 'full_parse', 'done'], employment: ['parse', 'full_parse', 'done'], admin: ['parse', 'full_parse', 'done'],
  deposit_switch: ['parse', 'switch_deposit', 'done'], pll: ['parse', 'switch_deposit', 'done'], fas: ['parse', 'switch_deposit', 'done'],
};

/** What a sandbox task passes, each for `stepMs`: statuses, and steps, which wait for an answer or for a phone. */
function plan(login, product) {
  const { username, password, api_key: key, organization_id: organization } = login;
  const end = ENDS[product];
  if (organization === 'unknown') return ['new', 'login', 'config_error'];
  if (key !== undefined) return ['new', 'login', ...(key === TEST_KEY ? end : ['login_error'])];
  if (username === 'error.user') return ['new', 'login', password];
  if (username !== 'goodlogin') return ['new', 'login', 'login_error'];
  switch (password) {
    case 'goodpassword': return ['new', 'login', ...end];
    case 'mfa': return ['new', 'login', CODE, 'mfa', ...end];
    case 'mfa.twice': return ['new', 'login', CODE, CODE, 'mfa', ...end];
    case 'mfa.question': return ['new', 'login', QUESTION, 'mfa', ...end];
    case 'mfa.choice': return ['new', 'login', CHOICE, CODE, 'mfa', ...end];
    case 'mfa.push': return ['new', 'login', PUSH, 'mfa', ...end];
    case 'mfa.push_denied': return ['new', 'login', PUSH, 'mfa_error'];
    case 'mfa.push_then_code': return ['new', 'login', PUSH, CODE, 'mfa', ...end];
    case 'mfa.new_kind': return ['new', 'login', NEW_KIND, 'mfa', ...end];
    case 'longcheck': return ['new', 'login', 'parse', ...Array(200).fill('full_parse'), 'done'];
    default: return ['new', 'login', 'login_error'];
  }
}

const FIELDS = {
  username: { name: 'username', label: 'Username', kind: 'text', autocomplete: 'username', hint: null },
  password: { name: 'password', label: 'Password', kind: 'password', autocomplete: 'current-password', hint: null },
  key: { name: 'api_key', label: 'API key', kind: 'password', autocomplete: 'off', hint: null },
  organization: { name: 'organization_id', label: 'Company code', kind: 'text', autocomplete: 'organization', hint: null },
};
const PASSWORD_WAY = { label: 'Username and password', fields: [FIELDS.username, FIELDS.password] };
const KEY_WAY = { label: 'API key', fields: [FIELDS.key] };

function formOf(providerId, product) {
  const ways = { admin: [KEY_WAY, PASSWORD_WAY], fas: [PASSWORD_WAY, KEY_WAY] }[product] || [PASSWORD_WAY];
  return { organization: ASK_FOR_COMPANY_CODE.includes(providerId) ? FIELDS.organization : null, ways };
}

// --- sessions ----------------------------------------------------------------------------------------------------------

const ACCOUNT = {
  purpose: 'deposit', action: 'create', bank_name: 'TD Bank', account_type: 'checking', account_last4: '2600',
  routing_number: '123456789', deposit_type: null, deposit_value: null, is_fixed: false, choices: ['entire', 'percent', 'amount'],
};
const LISTED = { first_view: 'PROVIDER_LIST' };
const AT_PROVIDER = { first_view: 'PROVIDER_LOGIN', provider: providers[0] };
const { providers: _, ...COMPANY } = companies[1];

/** What each test token is for. Its name is its key in TOKENS. */
const SESSIONS = {
  income: {},
  employment: { product_type: 'employment', tracking_info: null, client_name: null },
  company: { ...LISTED, company: COMPANY },
  provider: AT_PROVIDER,
  both: { ...AT_PROVIDER, company: COMPANY },
  repair: { ...AT_PROVIDER, is_repair: true },
  admin: { ...LISTED, product_type: 'admin' },
  deposit_switch: { product_type: 'deposit_switch', account: ACCOUNT },
  deposit_update: { ...AT_PROVIDER, product_type: 'deposit_switch', account: { ...ACCOUNT, action: 'update', deposit_type: 'percent', deposit_value: '50.00', choices: ['percent'] } },
  deposit_limited: { ...AT_PROVIDER, product_type: 'deposit_switch', account: { ...ACCOUNT, deposit_type: 'amount', deposit_value: '250.00', choices: ['amount', 'percent'] } },
  deposit_delete: { ...AT_PROVIDER, product_type: 'deposit_switch', account: { ...ACCOUNT, action: 'delete', account_type: 'savings' } },
  deposit_whole: { ...AT_PROVIDER, product_type: 'deposit_switch', account: { ...ACCOUNT, choices: ['entire'] } },
  pll: { product_type: 'pll', account: { ...ACCOUNT, deposit_type: 'amount', deposit_value: '1.00', is_fixed: true, choices: ['amount'] } },
  fas: { ...LISTED, product_type: 'fas', account: { ...ACCOUNT, purpose: 'funding', choices: [] } },
};
const token = (index) => (index + 16).toString(16).repeat(16);
export const TOKENS = Object.fromEntries([...Object.keys(SESSIONS), 'expired', 'unknown'].map((name, index) => [name, token(index)]));

export async function startMock({ stepMs = 150, pushMs = 1200 } = {}) {
  const tasks = new Map();
  const seen = { requests: [], paths: [], screens: [] };
  const control = { isDown: false, losesAnswers: false, allowed: null };
  let count = 0;

  function session(asked) {
    const name = Object.keys(SESSIONS).find((known) => TOKENS[known] === asked);
    if (!name) return null;
    return {
      product_type: 'income', client_name: 'Northwind Lending', environment: 'sandbox', tracking_info: 'order-42',
      expires_at: new Date(Date.now() + 6 * 3600e3).toISOString(), first_view: 'SELECT_EMPLOYER', company: null, provider: null,
      is_repair: false, account: null, ...SESSIONS[name],
    };
  }

  const stepOf = (task) => (typeof task.plan[task.at] === 'object' ? task.plan[task.at] : null);
  const isOver = (status) => !['new', 'login', 'mfa', 'parse', 'full_parse', 'switch_deposit', 'done'].includes(status);

  function view(task) {
    const step = stepOf(task);
    const status = step ? 'mfa' : task.plan[task.at];
    const message = status === 'config_error' ? 'Infor says: 100 % of the pay goes to this account already.' : `Sandbox ended with ${status}.`;
    return {
      task_id: task.id, status, provider_id: task.provider, employer: { name: task.employer },
      // As the server does it: an approval is asked for anew at each look.
      step: step ? { ...step, expires_at: new Date((step.kind === 'push' ? Date.now() : task.since) + 300e3).toISOString() } : null,
      error: isOver(status) ? { error_type: 'LINK_ERROR', error_code: status.toUpperCase(), error_message: message } : null,
    };
  }

  function advance(task) {
    const now = Date.now();
    for (;;) {
      const step = stepOf(task);
      const stays = step ? (step.kind === 'push' ? pushMs : Infinity) : stepMs;
      if (task.at === task.plan.length - 1 || now - task.since < stays) return;
      task.at += 1;
      task.since += stays;
    }
  }

  /** An answer moves the task on, or ends it when it is wrong. */
  function take(task, answer) {
    const step = stepOf(task);
    if (!step) return false;
    if (step.kind === 'push') task.plan.splice(task.at, 1, ...(answer === 'other' ? [CHOICE, CODE] : ['mfa_error']));
    else {
      const isRight = step.kind === 'choice' ? step.options.some((option) => option.id === answer) : answer === RIGHT[step.kind];
      // `mfa.twice` gives a second chance, any other question does not.
      if (isRight && stepOf({ ...task, at: task.at + 1 })?.kind === step.kind) task.at += 1;
      if (isRight || stepOf({ ...task, at: task.at + 1 })?.kind === step.kind) task.at += 1;
      else task.plan.splice(task.at, task.plan.length, 'mfa', 'mfa_error');
    }
    task.since = Date.now();
    return true;
  }

  async function api(request, response, url, body) {
    const token = (request.headers.authorization || '').replace('Bearer ', '');
    const answer = (status, value) => {
      response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
      response.end(JSON.stringify(value));
    };
    const refuse = (status, code) => answer(status, { error: { code, message: code } });
    if (token === TOKENS.expired) return refuse(410, 'expired_token');
    const found = session(token);
    if (!found) return refuse(401, 'authentication_failed');
    const parts = url.pathname.split('/').slice(3);
    const query = (url.searchParams.get('query') || '').toLowerCase();
    if (parts[0] === 'session') return answer(200, found);
    if (parts[0] === 'screens') {
      seen.screens.push(...body.screens.map((screen) => screen.name));
      response.writeHead(204);
      return response.end();
    }
    if (parts[0] === 'companies') {
      return answer(200, companies.filter((c) => c.name.toLowerCase().startsWith(query)).map(({ providers: _, ...c }) => c));
    }
    if (parts[0] === 'providers' && parts[1]) {
      const provider = providers.find((p) => p.id === parts[1]);
      if (!provider) return refuse(404, 'not_found');
      return answer(200, { ...provider, forgot_password_url: null, ...formOf(provider.id, found.product_type) });
    }
    if (parts[0] === 'providers') {
      const company = companies.find((c) => c.company_mapping_id === url.searchParams.get('company_mapping_id'));
      return answer(200, company ? providers.filter((p) => company.providers.includes(p.id)) : providers);
    }
    if (parts[0] === 'tasks' && !parts[1]) {
      if (found.account && body.confirmed !== true) return refuse(400, 'not_confirmed');
      const form = formOf(body.provider_id, found.product_type);
      const names = (way) => [...way.fields, form.organization].filter(Boolean).map((field) => field.name).sort().join();
      if (!form.ways.some((way) => names(way) === Object.keys(body.login).sort().join())) return refuse(400, 'login');
      count += 1;
      const company = companies.find((c) => c.company_mapping_id === body.company_mapping_id);
      const task = {
        id: String(count).padStart(32, '7'), provider: body.provider_id, at: 0, since: Date.now(),
        plan: plan(body.login, found.product_type),
        employer: company ? company.name : providers.find((p) => p.id === body.provider_id).name,
      };
      tasks.set(task.id, task);
      return answer(201, view(task));
    }
    const task = tasks.get(parts[1]);
    if (!task) return refuse(404, 'not_found');
    advance(task);
    if (parts[2] === 'answer') {
      const isTaken = take(task, body.answer);
      if (control.losesAnswers) return request.socket.destroy();
      return isTaken ? answer(202, { ...view(task), step: null }) : refuse(409, 'not_awaited');
    }
    if (parts[2] === 'public-token') return answer(200, { public_token: task.id.replace(/^7/, '9'), task_id: task.id, employer: { name: task.employer } });
    return answer(200, view(task));
  }

  async function asset(response, name, headers = {}, change = (text) => text) {
    try {
      const text = await change(await readFile(ASSETS + name, 'utf8'));
      response.writeHead(200, {
        'Content-Type': TYPES[name.split('.').pop()], 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer', ...headers,
      });
      response.end(text);
    } catch {
      response.writeHead(404).end();
    }
  }

  const citadel = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://mock');
    const path = url.pathname;
    if (control.isDown) return request.socket.destroy();
    seen.paths.push(request.method + ' ' + path);
    let body = '';
    for await (const chunk of request) body += chunk;
    if (body) seen.requests.push({ path, body });
    const pageHeaders = (ancestors) => ({ 'Content-Security-Policy': `${WIDGET_CSP}; frame-ancestors ${ancestors}`, 'Cache-Control': 'no-store' });
    if (path === '/bridge.js') return asset(response, 'bridge/bridge.js', { 'Access-Control-Allow-Origin': '*' }, flat);
    if (path === '/bridge/widget.js') return asset(response, 'bridge/widget.js', {}, () => joined('widget.js'));
    if (path === '/bridge/widget.css') return asset(response, 'bridge/widget.css', {}, trimmed);
    if (path === '/bridge/widget') return asset(response, 'bridge/widget.html', pageHeaders(control.allowed || hostUrl));
    if (path === '/mobile.html') return asset(response, 'bridge/widget.html', pageHeaders("'none'"));
    if (path === '/oauth-success.html') return asset(response, 'oauth-success.html', pageHeaders("'none'"));
    if (path.startsWith('/bridge/assets/')) return asset(response, 'bridge/' + path.slice(15));
    if (path.startsWith('/bridge/marks/')) {
      response.writeHead(200, { 'Content-Type': 'image/svg+xml' });
      const tint = ['#0f5c56', '#2d4f8e', '#8a4b08', '#6a2f6e'][path.length % 4];
      return response.end(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><rect width="40" height="40" fill="${tint}"/><circle cx="20" cy="20" r="9" fill="none" stroke="#fff" stroke-width="4"/></svg>`);
    }
    if (path.startsWith('/bridge/api/')) return api(request, response, url, body ? JSON.parse(body) : null);
    response.writeHead(404).end();
  });

  // Host pages: any path answers with the page a test put there.
  const pages = new Map();
  const host = createServer((request, response) => {
    const page = pages.get(new URL(request.url, 'http://mock').pathname) || {};
    response.writeHead(page.body === undefined ? 404 : 200, { 'Content-Type': page.type || TYPES.html, ...page.headers });
    response.end(page.body || '');
  });

  const listen = (server) => new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}`)));
  const url = await listen(citadel);
  const hostUrl = await listen(host);
  return {
    url, hostUrl, seen, control, pages,
    async close() {
      for (const server of [citadel, host]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}
