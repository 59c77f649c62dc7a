// The card around every screen: header, test ribbon, heading, status line, focus. It knows no flow and no server.
import { h, icon, replace, uniqueId } from './dom.js';

const FOCUSABLE = 'button:not([disabled]), input:not([disabled]), a[href], summary, [tabindex="0"]';

/** `kind`: dialog (over a page), inline (in a page), page (the whole view). `on`: leave(reason), dress(look). */
export function createShell(root, kind, on) {
  const headingId = uniqueId('heading');
  const back = h('button', { class: 'icon-button', type: 'button', 'aria-label': 'Back', onclick: () => goBack() }, icon('back'));
  const close = h(
    'button',
    { class: 'icon-button', type: 'button', 'aria-label': 'Close', onclick: () => on.leave('user_closed') },
    icon('close')
  );
  const ribbon = h('aside', { class: 'ribbon', 'aria-label': 'Test mode', hidden: true });
  const asker = h('p', { class: 'asker' });
  // Said only where it is true: a sandbox on a laptop has no TLS.
  const isEncrypted = location.protocol === 'https:';
  const main = h('main', { class: 'screen' });
  const line = h('div', { class: 'line', hidden: true }, h('span', { class: 'dot' }), h('span', null, 'Reconnecting…'));
  const poweredBy = h('span', null, isEncrypted ? ' · ' : '', 'Powered by ', h('strong', null, 'Citadel'));
  const status = h('p', { class: 'visually-hidden', role: 'status' });
  const dialog = { role: 'dialog', 'aria-modal': 'true', 'aria-labelledby': headingId };
  const card = h(
    'div',
    Object.assign({ class: 'card' }, kind === 'dialog' ? dialog : null),
    h(
      'header',
      { class: 'top' },
      back,
      asker,
      close
    ),
    ribbon,
    line,
    main,
    h('footer', { class: 'foot' }, ...(isEncrypted ? [icon('lock'), 'Encrypted'] : []), poweredBy),
    status
  );
  root.className = 'stage stage-' + kind;
  replace(root, card);

  let onBack = null;
  let unsaved = () => false;
  let question = null;
  let heading = null;
  let shown = 0;

  function goBack() {
    if (question) dismiss();
    else if (onBack) onBack();
  }

  /**
   * Shows a screen: `heading`, `lead`, `visual`, `content` (nodes), `hint` (ribbon nodes or text), `back` (function or
   * null), `focus` (element instead of the heading), `unsaved` (would leaving lose typing?).
   */
  function show(screen) {
    dismiss();
    heading = h('h1', { id: headingId, tabindex: '-1' }, screen.heading);
    const intro = h('div', { class: 'intro' + (screen.visual ? (screen.centred ? ' intro-visual' : ' intro-side') : '') });
    if (screen.visual) intro.appendChild(screen.visual);
    intro.appendChild(heading);
    if (screen.lead) intro.appendChild(h('p', { class: 'lead' }, screen.lead));
    main.className = 'screen' + (screen.centred ? ' screen-centred' : '');
    replace(main, intro, ...screen.content);
    main.scrollTop = 0;
    onBack = screen.back || null;
    back.hidden = !onBack;
    unsaved = screen.unsaved || (() => false);
    hint(screen.hint);
    shown += 1;
    // A frame in the middle of somebody's page must not pull the focus when it loads.
    if (shown > 1 || kind !== 'inline') focus(screen.focus);
  }

  function focus(target) {
    (target || heading || close).focus({ preventScroll: true });
  }

  let testMode = false;
  function hint(content) {
    ribbon.hidden = !testMode;
    if (!testMode) return;
    const told = content || 'Nothing here is real.';
    replace(ribbon, h('strong', null, 'Test mode'), typeof told === 'string' ? h('span', null, told) : told);
  }

  /** Esc on a half-typed sign-in asks first. */
  function askToLeave(reason) {
    if (question) return dismiss();
    if (!unsaved()) return on.leave(reason);
    const previous = document.activeElement;
    const titleId = uniqueId('ask');
    const stay = h('button', { class: 'button', type: 'button', onclick: () => dismiss() }, 'Stay');
    const leave = h('button', { class: 'button button-plain', type: 'button', onclick: () => on.leave(reason) }, 'Leave');
    const box = h(
      'div',
      { class: 'ask', role: 'alertdialog', 'aria-modal': 'true', 'aria-labelledby': titleId },
      h(
        'div',
        { class: 'ask-box' },
        h('h2', { id: titleId }, 'Leave without connecting?'),
        h('p', null, 'What you typed will be cleared.'),
        h('div', { class: 'ask-buttons' }, leave, stay)
      )
    );
    question = { box, previous };
    card.appendChild(box);
    stay.focus();
  }

  function dismiss() {
    if (!question) return;
    const { box, previous } = question;
    question = null;
    card.removeChild(box);
    if (previous && previous.isConnected) previous.focus();
  }

  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !event.defaultPrevented) {
      event.preventDefault();
      askToLeave('escape');
    } else if (event.key === 'Tab' && kind !== 'inline') {
      keepInside(event, question ? question.box : card);
    }
  });

  function keepInside(event, box) {
    const stops = Array.prototype.filter.call(box.querySelectorAll(FOCUSABLE), (stop) => stop.offsetParent !== null);
    if (stops.length === 0) return;
    const first = stops[0];
    const last = stops[stops.length - 1];
    const current = document.activeElement;
    if (event.shiftKey && (current === first || !box.contains(current))) {
      event.preventDefault();
      last.focus();
    } else if (!event.shiftKey && (current === last || !box.contains(current))) {
      event.preventDefault();
      first.focus();
    }
  }

  return {
    card,
    show,
    /** For a host that brings the focus back: what had it inside keeps it. */
    refocus() {
      if (document.activeElement === document.body) focus();
    },
    askToLeave,
    /** One polite live region for everything that changes without a screen change. */
    say(text) {
      status.textContent = text;
    },
    /** Calm words while the server cannot be reached; the work goes on by itself. */
    trouble(isTrouble) {
      if (line.hidden === !isTrouble) return;
      line.hidden = !isTrouble;
      status.textContent = isTrouble ? 'Connection lost. Trying again.' : 'Connected again.';
    },
    /** What the session tells: who asks, whether this is a sandbox, and the client's own look. */
    introduce(clientName, isSandbox, look) {
      testMode = isSandbox;
      const logo = look.logo ? h('img', { class: 'asker-logo', src: look.logo, alt: '' }) : null;
      replace(asker, logo, ...(clientName ? ['For ', h('strong', null, clientName)] : []));
      poweredBy.hidden = Boolean(look.hide_mark);
      on.dress(look);
    },
    backOr(otherwise) {
      if (question || onBack) goBack();
      else otherwise();
    },
  };
}
