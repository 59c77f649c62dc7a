// The way out of the widget: to the page that framed it, or to the app whose web view shows it.
//
// Both speak the same four words: load, event, success, exit. A host sees event names, ids and the public token, and
// never anything a person typed.

// What the published iOS and Android libraries know; they throw at, or lose, anything else.
const NATIVE_EVENTS = [
  'LOAD', 'OPEN', 'SCREEN_VIEW', 'EMPLOYER_SELECTED', 'LINK_CREATED', 'LOGIN_COMPLETE', 'SUCCESS', 'ERROR', 'UNSUPPORTED_BROWSER', 'CLOSE',
];
const NATIVE_CODES = ['LOGIN_ERROR', 'MFA_ERROR', 'UNAVAILABLE', 'LINK_ERROR', 'ERROR'];

/** Resolves once the host is there to listen. `onMessage({t: 'close'|'focus'})` hears what it asks for. */
export function connect(params, onMessage) {
  if (window.parent !== window) return connectFrame(params.get('parent') || '', onMessage);
  return Promise.resolve(nativeHost());
}

function connectFrame(parentOrigin, onMessage) {
  return new Promise((resolve) => {
    window.addEventListener('message', function listen(event) {
      const data = event.data;
      if (event.source !== window.parent || event.origin !== parentOrigin) return;
      if (typeof data !== 'object' || data === null || data.v !== 1 || data.t !== 'port' || !event.ports[0]) return;
      window.removeEventListener('message', listen);
      const port = event.ports[0];
      const send = (message) => port.postMessage(Object.assign({ v: 1, nonce: data.nonce }, message));
      port.onmessage = (incoming) => {
        const told = incoming.data;
        if (typeof told === 'object' && told !== null && told.v === 1 && told.nonce === data.nonce) onMessage(told);
      };
      const options = typeof data.options === 'object' && data.options !== null ? data.options : {};
      resolve({
        kind: options.position === 'inline' ? 'inline' : 'dialog',
        theme: options.theme,
        load: () => send({ t: 'event', type: 'LOAD' }),
        // `source`: on the page of an order, whether the order or the widget of one employer tells it.
        event: (type, payload, source) => send({ t: 'event', type, payload, source }),
        success: (publicToken, metadata) => send({ t: 'success', public_token: publicToken, metadata }),
        exit: (reason) => send({ t: 'exit', reason }),
        resize: (height) => send({ t: 'resize', height }),
      });
    });
    // An exact target origin; a wrong one means the browser drops the message and the page's own watchdog speaks.
    try {
      window.parent.postMessage({ v: 1, t: 'ready' }, parentOrigin);
    } catch (error) {
      // Not an origin at all: there is nobody we may talk to.
    }
  });
}

/** The first native channel present, or a silent one when the page is opened in a plain browser. */
export function nativeHost() {
  const channel = findChannel();
  let closed = false;
  const tell = (name, body) => {
    try {
      channel.send(name, body);
    } catch (error) {
      // A throwing app must not stop the person's flow.
    }
  };
  const event = (type, payload) => {
    if (channel.strict && NATIVE_EVENTS.indexOf(type) < 0) return;
    const body = { event_type: type };
    if (payload) body.payload = channel.strict ? withKnownCode(payload) : payload;
    tell('onEvent', body);
  };
  return {
    kind: 'page',
    load() {
      tell('onLoad');
      event('LOAD');
    },
    event,
    // The last callback comes before CLOSE, so an app that tears down on CLOSE never loses the token.
    success(publicToken, metadata, closing) {
      if (closed) return;
      closed = true;
      tell('onSuccess', { public_token: publicToken, metadata });
      event('CLOSE', closing);
    },
    exit(reason, closing) {
      if (closed) return;
      closed = true;
      tell('onClose');
      event('CLOSE', closing);
    },
    resize() {},
  };
}

/** `body` is an object or absent; iOS crashes on anything else, and JSON leaves absent keys out. */
function findChannel() {
  const handlers = window.webkit && window.webkit.messageHandlers;
  if (handlers && handlers.iosListener) {
    return {
      strict: true,
      send(name, body) {
        const message = { event: name };
        if (body) message.payload = JSON.parse(JSON.stringify(body));
        handlers.iosListener.postMessage(message);
      },
    };
  }
  for (const name of ['citadelInterface', 'truvInterface']) {
    const bound = window[name];
    if (bound) {
      return {
        strict: true,
        // Called on the object: Java bindings need their receiver.
        send: (method, body) => (body ? bound[method](JSON.stringify(body)) : bound[method]()),
      };
    }
  }
  if (window.ReactNativeWebView) {
    return {
      strict: false,
      send: (event, payload) => window.ReactNativeWebView.postMessage(JSON.stringify({ event, payload })),
    };
  }
  return { strict: false, send() {} };
}

// Published iOS and Android SDKs parse error codes with closed enums.
function withKnownCode(payload) {
  if (!payload.error || NATIVE_CODES.indexOf(payload.error.error_code) >= 0) return payload;
  const code = payload.error.error_code === 'NO_DATA' ? 'LINK_ERROR' : 'ERROR';
  return Object.assign({}, payload, { error: Object.assign({}, payload.error, { error_code: code }) });
}
