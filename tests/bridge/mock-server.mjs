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

const PROVIDERS = ['ADP', 'Paychex', 'Gusto', 'Workday', 'UKG', 'Paylocity', 'Paycom', 'Rippling', 'BambooHR', 'Ceridian Dayforce'];
const COMPANIES = [
  ['Facebook', 'facebook.com', ['adp']],
  ['Fabrikam Foods', 'fabrikam.example', ['adp', 'workday', 'gusto']],
  ['Falcon Ridge Logistics', 'falconridge.example', ['paychex', 'ukg']],
  ['Family Table Restaurants', null, ['paycom']],
  ['Home Depot', 'homedepot.com', ['workday']],
];

const slug = (name) => name.toLowerCase().replace(/\W+/g, '_');
const companies = COMPANIES.map(([name, domain, providers], index) => ({
  company_mapping_id: String(index + 1).padStart(32, '0'), name, domain, logo_url: null, providers,
}));
const providers = PROVIDERS.map((name) => ({ id: slug(name), name, logo_url: `/bridge/marks/${slug(name)}.svg` }));

/** The statuses a sandbox task passes, each for `milliseconds`. */
function plan(login) {
  const { username, password } = login;
  if (username === 'goodlogin' && password === 'goodpassword') return ['new', 'login', 'parse', 'full_parse', 'done'];
  if (username === 'goodlogin' && password === 'mfa') return ['new', 'login', 'mfa?', 'mfa', 'parse', 'full_parse', 'done'];
  if (username === 'goodlogin' && password === 'longcheck') return ['new', 'login', 'parse', ...Array(200).fill('full_parse'), 'done'];
  if (username === 'error.user') return ['new', 'login', password];
  return ['new', 'login', 'login_error'];
}

const TOKEN = (digit) => String(digit).repeat(32);
export const TOKENS = { income: TOKEN('a'), employment: TOKEN('b'), company: TOKEN('c'), provider: TOKEN('d'), expired: TOKEN('e'), unknown: TOKEN('f') };

export async function startMock({ stepMs = 150 } = {}) {
  const tasks = new Map();
  const seen = { requests: [], paths: [] };
  const control = { isDown: false, allowed: null };
  let count = 0;

  function session(token) {
    const base = {
      product_type: 'income', client_name: 'Northwind Lending', environment: 'sandbox', tracking_info: 'order-42',
      expires_at: new Date(Date.now() + 6 * 3600e3).toISOString(), first_view: 'SELECT_EMPLOYER', company: null, provider: null,
    };
    const { providers: _, ...company } = companies[1];
    if (token === TOKENS.income) return base;
    if (token === TOKENS.employment) return { ...base, product_type: 'employment', tracking_info: null, client_name: null };
    if (token === TOKENS.company) return { ...base, first_view: 'PROVIDER_LIST', company };
    if (token === TOKENS.provider) return { ...base, first_view: 'PROVIDER_LOGIN', provider: providers[0] };
    return null;
  }

  const view = (task) => {
    const step = task.steps[task.at];
    const status = step.replace('?', '');
    const failed = !['new', 'login', 'mfa', 'parse', 'full_parse', 'done'].includes(status);
    return {
      task_id: task.id, status, provider_id: task.provider, employer: { name: task.employer },
      step: step === 'mfa?' ? { kind: 'code', label: 'Code', destination: '•••• 42', expires_at: task.expires } : null,
      error: failed ? { error_type: 'LINK_ERROR', error_code: status.toUpperCase(), error_message: `Sandbox ended with ${status}.` } : null,
    };
  };

  function advance(task) {
    if (task.steps[task.at].endsWith('?')) return;
    const now = Date.now();
    while (now - task.since >= stepMs && task.at < task.steps.length - 1 && !task.steps[task.at].endsWith('?')) {
      task.at += 1;
      task.since += stepMs;
    }
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
    if (parts[0] === 'companies') {
      return answer(200, companies.filter((c) => c.name.toLowerCase().startsWith(query)).map(({ providers: _, ...c }) => c));
    }
    if (parts[0] === 'providers' && parts[1]) {
      const provider = providers.find((p) => p.id === parts[1]);
      if (!provider) return refuse(404, 'not_found');
      return answer(200, {
        ...provider,
        fields: [
          { name: 'username', label: 'Username', kind: 'text', autocomplete: 'username', hint: null },
          { name: 'password', label: 'Password', kind: 'password', autocomplete: 'current-password', hint: null },
        ],
        forgot_password_url: null,
      });
    }
    if (parts[0] === 'providers') {
      const company = companies.find((c) => c.company_mapping_id === url.searchParams.get('company_mapping_id'));
      return answer(200, company ? providers.filter((p) => company.providers.includes(p.id)) : providers);
    }
    if (parts[0] === 'tasks' && !parts[1]) {
      count += 1;
      const company = companies.find((c) => c.company_mapping_id === body.company_mapping_id);
      const task = {
        id: String(count).padStart(32, '7'), provider: body.provider_id, at: 0, since: Date.now(), steps: plan(body.login),
        employer: company ? company.name : providers.find((p) => p.id === body.provider_id).name,
        expires: new Date(Date.now() + 300e3).toISOString(),
      };
      tasks.set(task.id, task);
      return answer(201, view(task));
    }
    const task = tasks.get(parts[1]);
    if (!task) return refuse(404, 'not_found');
    advance(task);
    if (parts[2] === 'answer') {
      if (body.answer === '12345') task.at += 1;
      else task.steps = [...task.steps.slice(0, (task.at += 1)), 'mfa', 'mfa_error'];
      task.since = Date.now();
      return answer(202, view(task));
    }
    if (parts[2] === 'public-token') return answer(200, { public_token: String(count).padStart(32, '9'), task_id: task.id, employer: { name: task.employer } });
    return answer(200, view(task));
  }

  async function asset(response, name, headers = {}) {
    try {
      const text = await readFile(ASSETS + name);
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
    if (path === '/bridge.js') return asset(response, 'bridge.js', { 'Access-Control-Allow-Origin': '*' });
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
