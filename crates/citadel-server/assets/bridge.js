/*!
 * bridge.js: puts the Bridge widget on a page. Classic script, ES2017, no dependency, committed as served.
 *
 * It only hosts a frame: it makes no request of its own, adds no <style>, and never sees a sign-in. Everything a
 * person types stays inside the frame, on the origin this script came from. Messages go to and come from that exact
 * origin, over one MessageChannel per opening. Start reading at `init`.
 */
(function () {
  'use strict';
  if (typeof window === 'undefined' || typeof document === 'undefined') return;

  // A second evaluation keeps the first object, so a page that includes the script twice has one widget.
  const earlier = window.CitadelBridge || window.TruvBridge;
  if (earlier && earlier.isCitadelBridge) {
    window.CitadelBridge = window.TruvBridge = earlier;
    return;
  }

  const TITLE = 'Citadel Bridge';
  const SLOW_MS = 2500;
  const UNREACHABLE_MS = 15000;
  const scriptOrigin = originOf(document.currentScript && document.currentScript.src);
  let opened = null; // the one view on this page, whichever instance opened it

  function originOf(url) {
    try {
      const origin = url ? new URL(url, document.baseURI).origin : '';
      return origin === 'null' ? '' : origin;
    } catch (error) {
      return '';
    }
  }

  function isObject(value) {
    return typeof value === 'object' && value !== null;
  }

  // CSSOM, not a style attribute: it needs no `style-src` from the host.
  function style(element, rules) {
    for (const name of Object.keys(rules)) element.style[name] = rules[name];
    return element;
  }

  function init(given) {
    const options = isObject(given) ? given : {};
    let view = null;
    const isOpen = () => view !== null && !view.closed();
    const safely = (work) => {
      try {
        work();
      } catch (error) {
        console.error('Citadel Bridge:', error);
      }
    };
    return {
      open() {
        safely(() => {
          if (isOpen()) return view.focus();
          if (opened) opened.finish('host_closed');
          view = createView(options);
          opened = view;
          view.mount();
        });
      },
      close(how) {
        safely(() => {
          if (!isOpen()) return;
          const onlyModal = isObject(how) && how.mode === 'onlyModal';
          if (!(onlyModal && view.inline)) view.finish('host_closed');
        });
      },
      destroy() {
        safely(() => {
          if (isOpen()) view.finish('host_closed', true);
        });
      },
    };
  }

  /** One opening of the widget, from `open()` to its single terminal callback. */
  function createView(options) {
    const position = isObject(options.position) ? options.position : {};
    const wantsInline = position.type === 'inline';
    const inline = wantsInline && isObject(position.container) && position.container.nodeType === 1;
    const origin = options.baseUrl ? originOf(options.baseUrl) : scriptOrigin;
    const opener = document.activeElement;
    const timers = [];
    const seen = { view_name: undefined, task_id: undefined, error: undefined };
    let done = false;
    let loaded = false;
    let broken = ''; // an exit reason, once only the notice can be shown
    let token = typeof options.bridgeToken === 'string' ? options.bridgeToken : undefined;
    let product;
    let success = null;
    let shell = null;
    let frame = null;
    let notice = null;
    let port = null;
    let nonce = '';
    let unlock = null;

    // --- callbacks -------------------------------------------------------------------------------------------------

    /** Calls a host callback; what it throws reaches the host's own error reporting and nothing of ours. */
    function call(name, args) {
      const callback = options[name];
      if (typeof callback !== 'function') return;
      try {
        callback.apply(options, args);
      } catch (error) {
        setTimeout(() => {
          throw error;
        }, 0);
      }
    }

    function emit(type, payload, source) {
      call('onEvent', options.isOrder ? [type, payload, source || 'bridge'] : [type, payload]);
    }

    function emitLoad() {
      if (loaded) return;
      loaded = true;
      call('onLoad', []);
      if (!done) emit('LOAD', undefined);
    }

    function common(more) {
      const fields = {};
      if (token) fields.bridge_token = token;
      if (product) fields.product_type = product;
      return Object.assign(fields, more);
    }

    // --- the way out -----------------------------------------------------------------------------------------------

    /** The only way out. The page is whole again before any callback runs; after success every exit is a success. */
    function finish(reason, silent) {
      if (done) return;
      done = true;
      if (opened === view) opened = null;
      teardown();
      if (silent) return;
      if (success) {
        call('onSuccess', [success.public_token, success.metadata]);
        if (options.isOrder) emit('COMPLETED', undefined, 'order');
      }
      if (!success || options.isOrder || options.closeAfterSuccess) call('onClose', []);
      if (!success) call('onExit', [broken || reason, Object.assign({}, seen)]);
      emit('CLOSE', common());
    }

    function teardown() {
      timers.splice(0).forEach(clearTimeout);
      window.removeEventListener('message', onWindowMessage);
      window.removeEventListener('pagehide', onPageHide);
      document.removeEventListener('DOMContentLoaded', mount);
      if (port) port.close();
      port = null;
      const active = document.activeElement;
      const focusIsOurs = !active || active === document.body || (shell !== null && shell.contains(active));
      if (shell) {
        if (shell.open && shell.close) shell.close();
        shell.remove();
      }
      if (unlock) unlock();
      if (!inline && focusIsOurs && opener && opener.isConnected && opener.focus) opener.focus({ preventScroll: true });
    }

    // A page kept in the back-forward cache must come back scrollable and without a dead frame.
    function onPageHide() {
      finish('host_closed', true);
    }

    function lockScroll() {
      const root = document.documentElement;
      const before = { overflow: root.style.overflow, paddingRight: root.style.paddingRight };
      const x = window.pageXOffset;
      const y = window.pageYOffset;
      const bar = window.innerWidth - root.clientWidth;
      const padding = parseFloat(getComputedStyle(root).paddingRight) || 0;
      style(root, { overflow: 'hidden' });
      if (bar > 0) style(root, { paddingRight: padding + bar + 'px' });
      return () => {
        style(root, before);
        if (window.pageXOffset !== x || window.pageYOffset !== y) window.scrollTo(x, y);
      };
    }

    // --- the page --------------------------------------------------------------------------------------------------

    function mount() {
      if (done || shell) return;
      if (!document.body) {
        document.addEventListener('DOMContentLoaded', mount);
        return;
      }
      shell = inline ? style(document.createElement('div'), { height: '100%' }) : overlay();
      (inline ? position.container : document.body).appendChild(shell);
      if (!inline) {
        unlock = lockScroll();
        if (shell.showModal) shell.showModal();
      }
      window.addEventListener('pagehide', onPageHide);

      const modern = window.MessageChannel && 'noModule' in HTMLScriptElement.prototype;
      if (!modern) return fail('unsupported', 'This browser is too old. Please update it, or use another one.');
      if (!origin) return fail('error', 'This window could not be opened.', 'no `baseUrl`, and no script origin to use');
      if (location.origin === 'null') return fail('error', 'This window could not be opened.', 'the page has no origin');
      if (wantsInline && !inline) {
        return fail('error', 'This window could not be opened.', '`position.container` is not an element');
      }
      if (typeof options.bridgeToken !== 'function') return load();
      Promise.resolve()
        .then(() => options.bridgeToken())
        .then(
          (answer) => {
            token = answer;
            if (!done) load();
          },
          () => {
            if (!done) load();
          }
        );
    }

    /** A top-layer dialog, so no host focus trap or stacking context can come between; a plain box in old browsers. */
    function overlay() {
      const modal = typeof HTMLDialogElement === 'function' && HTMLDialogElement.prototype.showModal;
      const box = document.createElement(modal ? 'dialog' : 'div');
      box.setAttribute('role', 'dialog');
      box.setAttribute('aria-modal', 'true');
      box.setAttribute('aria-label', TITLE);
      style(box, {
        position: 'fixed', top: '0', right: '0', bottom: '0', left: '0', zIndex: '2147483647',
        width: '100%', height: '100%', maxWidth: 'none', maxHeight: 'none',
        margin: '0', padding: '0', border: '0', background: 'transparent', overflow: 'hidden',
      });
      box.addEventListener('cancel', (event) => {
        if (event.target !== box) return;
        event.preventDefault();
        // The frame may ask first: a half-typed sign-in is not thrown away by one key.
        if (port && !notice) send({ t: 'close', mode: 'ask' });
        else finish('escape');
      });
      // Browsers close a dialog on a second Esc whatever the page says.
      box.addEventListener('close', () => finish('escape'));
      return box;
    }

    function load() {
      if (typeof token !== 'string' || token.trim() === '') {
        token = undefined;
        return fail('token_expired', 'This link is not valid any more. Please start again.', '`bridgeToken` is missing');
      }
      let theme = options.theme;
      if (theme === 'auto') theme = window.matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
      const query = { bridge_token: token, parent: location.origin, v: '1' };
      if (typeof options.companyMappingId === 'string') query.company = options.companyMappingId;
      if (theme === 'dark') query.theme = 'dark';
      if (inline) query.inline = '1';

      frame = document.createElement('iframe');
      frame.title = TITLE;
      frame.setAttribute('allow', 'clipboard-write; camera');
      frame.setAttribute(
        'sandbox',
        'allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox allow-downloads'
      );
      frame.setAttribute('referrerpolicy', 'no-referrer');
      style(frame, {
        display: 'block', width: '100%', height: inline ? '640px' : '100%', minWidth: inline ? '320px' : '0',
        // The widget keeps its root in the light scheme too: only then does the browser leave the frame see-through.
        margin: '0', border: '0', background: 'transparent', colorScheme: 'light',
      });
      window.addEventListener('message', onWindowMessage);
      frame.src = origin + '/bridge/widget?' + new URLSearchParams(query).toString();
      shell.appendChild(frame);
      focus();
      timers.push(setTimeout(() => showNotice('Opening a secure window…'), SLOW_MS));
      timers.push(
        setTimeout(() => showNotice('The secure window could not be opened. Check your connection and try again.'), UNREACHABLE_MS)
      );
    }

    function focus() {
      if (frame && !inline) frame.focus();
      if (port) send({ t: 'focus' });
    }

    /** The error view of a widget that cannot be framed, with the callbacks of an expired token. */
    function fail(reason, text, detail) {
      broken = reason;
      if (detail) console.error('Citadel Bridge: ' + detail);
      showNotice(text);
      setTimeout(() => {
        if (done) return;
        emitLoad();
        if (done) return;
        if (reason === 'unsupported') return emit('UNSUPPORTED_BROWSER', undefined);
        emit('OPEN', common());
        if (!done) emit('SCREEN_VIEW', common({ view_name: 'ERROR' }));
      }, 0);
    }

    function showNotice(text) {
      if (frame) style(frame, { visibility: 'hidden' });
      if (notice) {
        notice.firstChild.textContent = text;
        return;
      }
      const scrim = style(document.createElement('div'), {
        position: inline ? 'static' : 'absolute', top: '0', right: '0', bottom: '0', left: '0',
        display: 'flex', alignItems: 'center', justifyContent: 'center', padding: '16px',
        background: inline ? 'transparent' : 'rgba(16, 24, 26, 0.5)',
      });
      notice = style(document.createElement('div'), {
        boxSizing: 'border-box', width: '100%', maxWidth: '352px', padding: '24px', borderRadius: '16px',
        border: '1px solid #d9dedc', background: '#ffffff', color: '#14211f', textAlign: 'center',
        font: '16px/1.5 -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
      });
      const message = style(document.createElement('p'), { margin: '0 0 16px' });
      message.setAttribute('role', 'status');
      message.textContent = text;
      const button = style(document.createElement('button'), {
        font: 'inherit', fontWeight: '600', padding: '10px 24px', borderRadius: '10px', cursor: 'pointer',
        border: '1px solid #0f5c56', background: '#0f5c56', color: '#ffffff',
      });
      button.type = 'button';
      button.textContent = 'Close';
      button.addEventListener('click', () => finish('user_closed'));
      notice.appendChild(message);
      notice.appendChild(button);
      scrim.appendChild(notice);
      shell.appendChild(scrim);
      if (!inline) button.focus();
    }

    function hideNotice() {
      timers.splice(0).forEach(clearTimeout);
      if (!notice) return;
      notice.parentNode.remove();
      notice = null;
      style(frame, { visibility: 'visible' });
      focus();
    }

    // --- the frame -------------------------------------------------------------------------------------------------

    /** The first message of the frame is the only one taken from the window; the rest comes over the port. */
    function onWindowMessage(event) {
      if (done || !frame || event.origin !== origin || event.source !== frame.contentWindow) return;
      if (!isObject(event.data) || event.data.v !== 1 || event.data.t !== 'ready') return;
      if (port) port.close();
      const channel = new MessageChannel();
      port = channel.port1;
      nonce = String(Math.random()).slice(2) + String(Date.now());
      if (window.crypto && crypto.getRandomValues) nonce = crypto.getRandomValues(new Uint32Array(4)).join('-');
      port.onmessage = (message) => onPortMessage(message.data);
      const settings = { position: inline ? 'inline' : 'dialog', theme: options.theme, companyMappingId: options.companyMappingId };
      for (const key of Object.keys(settings)) if (typeof settings[key] !== 'string') delete settings[key];
      frame.contentWindow.postMessage({ v: 1, t: 'port', nonce, options: settings }, origin, [channel.port2]);
    }

    function send(message) {
      port.postMessage(Object.assign({ v: 1, nonce }, message));
    }

    function onPortMessage(data) {
      if (done || !isObject(data) || data.v !== 1 || data.nonce !== nonce) return;
      if (data.t === 'event' && typeof data.type === 'string') onFrameEvent(data.type, data.payload);
      else if (data.t === 'success') {
        if (!success) success = { public_token: data.public_token, metadata: data.metadata };
        finish('user_closed');
      } else if (data.t === 'exit') finish(typeof data.reason === 'string' ? data.reason : 'user_closed');
      else if (data.t === 'resize' && inline && data.height > 0) style(frame, { height: Math.ceil(data.height) + 'px' });
    }

    function onFrameEvent(type, given) {
      if (type === 'LOAD') {
        hideNotice();
        return emitLoad();
      }
      const payload = isObject(given) ? given : undefined;
      if (payload) {
        if (typeof payload.product_type === 'string') product = payload.product_type;
        if (typeof payload.view_name === 'string') seen.view_name = payload.view_name;
        if (typeof payload.task_id === 'string') seen.task_id = payload.task_id;
      }
      if (type === 'SUCCESS' && payload) {
        success = {
          public_token: payload.public_token,
          metadata: { task_id: payload.task_id, employer: payload.employer },
        };
      }
      if (type === 'ERROR' && payload) seen.error = payload.error;
      emit(type, payload);
      if (type === 'ERROR' && payload && !done) call('onError', [payload.error, Object.assign({}, seen)]);
    }

    const view = { inline, mount, focus, finish, closed: () => done };
    return view;
  }

  window.CitadelBridge = window.TruvBridge = { init, isCitadelBridge: true };
})();
