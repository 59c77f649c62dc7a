/*!
 * bridge.js: puts the Bridge widget on a page. Classic script, ES2017, no dependency, served without
 * the comments.
 *
 * It only hosts a frame: it makes no request of its own, adds no <style>, and never sees a sign-in. Everything a
 * person types stays inside the frame, on the origin this script came from. Messages go to and come from that exact
 * origin, over one MessageChannel per opening. Start reading at `init`.
 */
(function () {
  'use strict';
  if (typeof document === 'undefined') return;

  // A second evaluation keeps the first object, so a page that includes the script twice has one widget.
  const earlier = window.CitadelBridge || window.TruvBridge;
  if (earlier && earlier.isCitadelBridge) {
    window.CitadelBridge = window.TruvBridge = earlier;
    return;
  }

  const TITLE = 'Citadel Bridge';
  const scriptOrigin = originOf(document.currentScript && document.currentScript.src);
  // The one view on this page, whichever instance opened it.
  let opened = null;

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
  function make(tag, style) {
    const element = document.createElement(tag);
    element.style.cssText = style;
    return element;
  }

  function init(given) {
    const options = isObject(given) ? given : {};
    let view = null;
    const isOpen = () => view && view === opened;
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
          if (isObject(how) && how.mode === 'onlyModal' && view.inline) view.closeInner();
          else view.finish('host_closed');
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
    const { type, container } = isObject(options.position) ? options.position : {};
    const inline = type === 'inline' && isObject(container) && container.nodeType === 1;
    const text = (name) => (typeof options[name] === 'string' ? options[name] : undefined);
    const theme = text('theme');
    const companyMappingId = text('companyMappingId');
    const isOrder = Boolean(options.isOrder);
    const origin = options.baseUrl ? originOf(options.baseUrl) : scriptOrigin;
    const opener = document.activeElement;
    const timers = [];
    const seen = {};
    let done = false;
    let loaded = false;
    // An exit reason, once only the notice can be shown.
    let broken = '';
    let token = text('bridgeToken');
    // What the frame told, and what is on the page.
    let product, success;
    let shell, frame, notice, unlock;
    let port, nonce;

    // --- callbacks -------------------------------------------------------------------------------------------------

    /** Calls a host callback; what it throws reaches the host's own error reporting and nothing of ours. */
    function call(name, ...args) {
      const callback = options[name];
      if (typeof callback !== 'function') return;
      try {
        callback.apply(options, args);
      } catch (error) {
        setTimeout(() => {
          throw error;
        });
      }
    }

    /** With an order, `source` tells who speaks: the order itself, or the widget of one of its employers. */
    function emit(type, payload, source) {
      call('onEvent', type, payload, ...(isOrder ? [source || 'order'] : []));
    }

    function emitLoad() {
      if (loaded) return;
      loaded = true;
      call('onLoad');
      if (!done) emit('LOAD');
    }

    function common(more) {
      return Object.assign({}, token && { bridge_token: token }, product && { product_type: product }, more);
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
        call('onSuccess', ...(isOrder ? [] : [success.public_token, success.metadata]));
        if (isOrder) emit('SUCCESS');
      }
      if (!success || isOrder || options.closeAfterSuccess) call('onClose');
      if (!success) call('onExit', broken || reason, Object.assign({}, seen));
      emit('CLOSE', isOrder ? undefined : common());
    }

    function teardown() {
      timers.splice(0).forEach(clearTimeout);
      window.removeEventListener('message', onWindowMessage);
      window.removeEventListener('pagehide', onPageHide);
      if (port) port.close();
      port = null;
      if (shell) shell.remove();
      if (unlock) unlock();
      // Nothing has the focus any more if we had it. Elsewhere it stays.
      const active = document.activeElement;
      const isLost = !active || active === document.body;
      if (!inline && isLost && opener && opener.focus) opener.focus({ preventScroll: true });
    }

    // A page kept in the back-forward cache must come back scrollable and without a dead frame.
    function onPageHide() {
      finish('host_closed', true);
    }

    function lockScroll() {
      const root = document.documentElement;
      const { overflow, paddingRight } = root.style;
      const x = window.pageXOffset;
      const y = window.pageYOffset;
      const bar = window.innerWidth - root.clientWidth;
      const padding = parseFloat(getComputedStyle(root).paddingRight);
      root.style.overflow = 'hidden';
      if (bar > 0) root.style.paddingRight = padding + bar + 'px';
      return () => {
        Object.assign(root.style, { overflow, paddingRight });
        window.scrollTo(x, y);
      };
    }

    // --- the page --------------------------------------------------------------------------------------------------

    function mount() {
      if (done || shell) return;
      if (!document.body) return document.addEventListener('DOMContentLoaded', mount);
      shell = inline ? make('div', 'position: relative; height: 100%; min-height: 240px') : overlay();
      (inline ? container : document.body).appendChild(shell);
      if (!inline) {
        unlock = lockScroll();
        if (shell.showModal) shell.showModal();
      }
      window.addEventListener('pagehide', onPageHide);

      const modern = window.MessageChannel && 'noModule' in HTMLScriptElement.prototype;
      if (!modern) return fail('unsupported', 'This browser is too old. Please update it, or use another one.');
      let wrong = '';
      if (type === 'inline' && !inline) wrong = '`position.container` is no element';
      if (location.origin === 'null') wrong = 'the page has no origin';
      if (!origin) wrong = '`baseUrl` is missing';
      if (wrong) return fail('error', 'This window could not be opened.', wrong);
      if (typeof options.bridgeToken !== 'function') return load();
      // A promise that fails leaves no token, and that has its own notice.
      new Promise((resolve) => resolve(options.bridgeToken()))
        .then((answer) => {
          token = answer;
        }, () => {})
        .then(() => done || load());
    }

    /** A top-layer dialog, so no host focus trap or stacking context can come between; a plain box in old browsers. */
    function overlay() {
      const box = make(
        window.HTMLDialogElement ? 'dialog' : 'div',
        'position: fixed; top: 0; left: 0; width: 100%; height: 100%; max-width: none; max-height: none; z-index: 2147483647;' +
          'margin: 0; padding: 0; border: 0; background: none; overflow: hidden'
      );
      box.setAttribute('role', 'dialog');
      box.setAttribute('aria-modal', 'true');
      box.setAttribute('aria-label', TITLE);
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
      if (typeof token !== 'string' || !token.trim()) {
        token = undefined;
        return fail('token_expired', 'This link is not valid any more. Please start again.', '`bridgeToken` is missing');
      }
      const query = new URLSearchParams({ bridge_token: token, parent: location.origin, v: '1' });
      if (companyMappingId) query.set('company', companyMappingId);
      const isDark = theme === 'auto' ? matchMedia('(prefers-color-scheme: dark)').matches : theme === 'dark';
      if (isDark) query.set('theme', 'dark');
      if (inline) query.set('inline', '1');

      frame = make(
        'iframe',
        // The widget keeps its root in the light scheme too: only then does the browser leave the frame see-through.
        'display: block; width: 100%; margin: 0; border: 0; background: none; color-scheme: light;' +
          (inline ? 'height: 640px; min-width: 320px' : 'height: 100%; min-width: 0')
      );
      frame.title = TITLE;
      frame.allow = 'clipboard-write; camera';
      frame.sandbox = 'allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox allow-downloads';
      frame.referrerPolicy = 'no-referrer';
      window.addEventListener('message', onWindowMessage);
      frame.src = origin + '/bridge/' + (isOrder ? 'order?' : 'widget?') + query;
      shell.appendChild(frame);
      focus();
      timers.push(
        setTimeout(showNotice, 2500, 'Opening a secure window…'),
        setTimeout(showNotice, 15000, 'The window could not be opened. Check your connection and try again.')
      );
    }

    function focus() {
      if (frame && !inline) frame.focus();
      if (port) send({ t: 'focus' });
    }

    /** The error view of a widget that cannot be framed, with the callbacks of an expired token. */
    function fail(reason, text, detail) {
      broken = reason;
      if (detail) console.error('Citadel Bridge:', detail);
      showNotice(text);
      setTimeout(() => {
        if (done) return;
        emitLoad();
        if (done) return;
        if (reason === 'unsupported') return emit('UNSUPPORTED_BROWSER');
        emit('OPEN', common());
        if (!done) emit('SCREEN_VIEW', common({ view_name: 'ERROR' }));
      });
    }

    function showNotice(text) {
      if (frame) frame.style.visibility = 'hidden';
      if (!notice) {
        // The shadow dims the page around it.
        notice = make(
          'div',
          'position: absolute; top: 40%; left: 50%; transform: translate(-50%, -50%); width: 256px; padding: 24px; border-radius: 16px;' +
            'background: #fff; color: #14211f; font: 16px/1.5 system-ui, sans-serif; text-align: center;' +
            (inline ? '' : 'box-shadow: 0 0 0 100vmax rgba(16, 24, 26, 0.5)')
        );
        notice.setAttribute('role', 'status');
        const message = notice.appendChild(make('p', 'margin: 0 0 16px'));
        const button = notice.appendChild(
          make('button', 'padding: 8px 24px; font: inherit')
        );
        button.type = 'button';
        button.textContent = 'Close';
        button.addEventListener('click', () => finish('user_closed'));
        shell.appendChild(notice);
        if (!inline) button.focus();
      }
      notice.firstChild.textContent = text;
    }

    function hideNotice() {
      timers.splice(0).forEach(clearTimeout);
      if (!notice) return;
      notice.remove();
      notice = null;
      frame.style.visibility = 'visible';
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
      nonce = String(crypto.getRandomValues(new Uint32Array(4)));
      port.onmessage = (message) => onPortMessage(message.data);
      const settings = { position: inline ? 'inline' : 'dialog', theme, companyMappingId };
      frame.contentWindow.postMessage({ v: 1, t: 'port', nonce, options: settings }, origin, [channel.port2]);
    }

    function send(message) {
      port.postMessage(Object.assign({ v: 1, nonce }, message));
    }

    function onPortMessage(data) {
      if (done || !isObject(data) || data.v !== 1 || data.nonce !== nonce) return;
      const { t, type, source, payload } = data;
      if (t === 'event' && source === 'bridge') emit(type, payload, source);
      else if (t === 'event' && typeof type === 'string') onFrameEvent(type, payload);
      else if (t === 'success') {
        if (!success) success = data;
        finish('user_closed');
      } else if (t === 'exit') finish(data.reason || 'user_closed');
      else if (t === 'resize' && inline && data.height > 0) frame.style.height = Math.ceil(data.height) + 'px';
    }

    function onFrameEvent(type, given) {
      if (type === 'LOAD') {
        hideNotice();
        return emitLoad();
      }
      const payload = isObject(given) ? given : {};
      const { task_id, view_name, product_type, error } = payload;
      if (typeof product_type === 'string') product = product_type;
      if (typeof view_name === 'string') seen.view_name = view_name;
      if (typeof task_id === 'string') seen.task_id = task_id;
      if (type === 'SUCCESS') success = { public_token: payload.public_token, metadata: { task_id, employer: payload.employer } };
      if (type === 'COMPLETED') success = {};
      if (type === 'ERROR') seen.error = error;
      emit(type, given);
      if (type === 'ERROR' && !done) call('onError', error, Object.assign({}, seen));
    }

    /** The widget of an employer goes, and the page of the order stays. */
    function closeInner() {
      if (isOrder && port) send({ t: 'close', mode: 'onlyModal' });
    }

    const view = { inline, mount, focus, finish, closeInner };
    return view;
  }

  window.CitadelBridge = window.TruvBridge = { init, isCitadelBridge: true };
})();
