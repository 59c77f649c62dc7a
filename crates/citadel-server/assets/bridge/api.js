// The widget's calls to its own server. Sign-ins and codes travel only in POST bodies; nothing is stored or logged.

const TIMEOUT_MS = 20000;

/** `kind`: network (try again), expired (this session is over), limit (wait), refused (the request itself is wrong). */
export class ApiError extends Error {
  constructor(kind, message, retryAfter) {
    super(message);
    this.kind = kind;
    this.retryAfter = retryAfter || 0;
  }
}

export function createApi(token) {
  async function call(method, path, body, signal) {
    const stop = typeof AbortController === 'function' ? new AbortController() : null;
    const timer = setTimeout(() => stop && stop.abort(), TIMEOUT_MS);
    if (stop && signal) signal.onabort = () => stop.abort();
    const headers = { Accept: 'application/json', Authorization: 'Bearer ' + token };
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    try {
      const response = await fetch('/bridge/api' + path, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: stop ? stop.signal : undefined,
        cache: 'no-store',
        credentials: 'omit',
        referrerPolicy: 'no-referrer',
      });
      if (!response.ok) throw await failure(response);
      return await response.json();
    } catch (error) {
      if (error instanceof ApiError) throw error;
      throw new ApiError('network', 'The server did not answer.');
    } finally {
      clearTimeout(timer);
    }
  }

  // Screens are told a moment later, several at once, and nobody minds when that fails. The page may be gone by then.
  let screens = [];
  function tellScreens() {
    if (screens.length === 0) return;
    const told = screens.map(({ name, at }) => ({ name, ago: Math.max(0, Math.round(performance.now() - at)) }));
    screens = [];
    fetch('/bridge/api/screens', {
      method: 'POST',
      headers: { Authorization: 'Bearer ' + token, 'Content-Type': 'application/json' },
      body: JSON.stringify({ screens: told }),
      keepalive: true,
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
    }).catch(() => {});
  }
  if (token) addEventListener('pagehide', tellScreens);

  function screen(name) {
    if (!token || screens.length >= 20) return;
    if (screens.length === 0) setTimeout(tellScreens, 1500);
    screens.push({ name, at: performance.now() });
  }

  const id = encodeURIComponent;
  return {
    screen,
    session: () => call('GET', '/session'),
    companies: (query, signal) => call('GET', '/companies?query=' + id(query), undefined, signal),
    providers: (companyId) => call('GET', '/providers' + (companyId ? '?company_mapping_id=' + id(companyId) : '')),
    provider: (providerId) => call('GET', '/providers/' + id(providerId)),
    createTask: (request) => call('POST', '/tasks', request),
    // With a status that is known, the answer waits a few seconds for another one.
    task: (taskId, seen) => call('GET', '/tasks/' + id(taskId) + (seen ? '?seen=' + id(seen) : '')),
    answer: (taskId, answer) => call('POST', '/tasks/' + id(taskId) + '/answer', { answer }),
    order: () => call('GET', '/order'),
    consent: () => call('POST', '/order/consent', {}),
    skip: (employerId) => call('POST', '/order/employers/' + id(employerId) + '/skip', {}),
    publicToken: (taskId) => call('POST', '/tasks/' + id(taskId) + '/public-token', {}),
  };
}

async function failure(response) {
  let message = 'The request was not accepted.';
  try {
    const body = await response.json();
    if (body.error && typeof body.error.message === 'string') message = body.error.message;
  } catch (error) {
    // A body that is not ours says nothing more than its status.
  }
  const status = response.status;
  if (status === 401 || status === 410) return new ApiError('expired', message);
  if (status === 429) return new ApiError('limit', message, Number(response.headers.get('Retry-After')));
  if (status >= 500) return new ApiError('network', message);
  return new ApiError('refused', message);
}

/** Repeats a read until it is answered, telling `onTrouble(true|false)` when the line drops and comes back. */
export async function patiently(read, onTrouble, isWanted) {
  let wait = 500;
  for (;;) {
    try {
      const answer = await read();
      onTrouble(false);
      return answer;
    } catch (error) {
      if (error.kind !== 'network' && error.kind !== 'limit') throw error;
      if (!isWanted()) throw error;
      if (error.kind === 'network') onTrouble(true);
      await pause(error.kind === 'limit' ? (error.retryAfter || 5) * 1000 : wait);
      wait = Math.min(wait * 1.6, 4000);
      if (!isWanted()) throw error;
    }
  }
}

export function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
