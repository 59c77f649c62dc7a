// Builds elements. Text only ever becomes a text node or an attribute value; there is no way here to parse HTML.

const SVG = 'http://www.w3.org/2000/svg';
let lastId = 0;

export function uniqueId(stem) {
  lastId += 1;
  return stem + '-' + lastId;
}

/** `h('button', {class: 'row', type: 'button', onclick: f}, 'Text', child)`; null children and attributes are skipped. */
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  Object.keys(attributes || {}).forEach((name) => {
    const value = attributes[name];
    if (value === null || value === undefined || value === false) return;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  });
  append(element, children);
  return element;
}

export function append(element, children) {
  children.forEach((child) => {
    if (child !== null && child !== undefined) {
      element.appendChild(typeof child === 'string' ? document.createTextNode(child) : child);
    }
  });
}

export function replace(element, ...children) {
  while (element.firstChild) element.removeChild(element.firstChild);
  append(element, children);
}

/** A label inside a sentence: "Username" becomes "username", "API key" stays as it is. */
export function midSentence(label) {
  return /^[A-Z][a-z]/.test(label) ? label[0].toLowerCase() + label.slice(1) : label;
}

const PATHS = {
  back: ['M15 5l-7 7 7 7'],
  close: ['M6 6l12 12M18 6L6 18'],
  lock: ['M7 11V8a5 5 0 0 1 10 0v3', 'M6 11h12a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1z'],
  search: ['M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14z', 'M20 20l-4-4'],
  next: ['M9 6l6 6-6 6'],
  check: ['M5 12.5l4.5 4.5L19 7.5'],
  alert: ['M12 7v6', 'M12 16.6v.2'],
  clock: ['M12 7v5l3 2', 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z'],
  phone: ['M8 3h8a1 1 0 0 1 1 1v16a1 1 0 0 1-1 1H8a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1z', 'M10.5 18h3'],
  building: ['M5 20V5a1 1 0 0 1 1-1h8a1 1 0 0 1 1 1v15', 'M15 9h3a1 1 0 0 1 1 1v10', 'M3 20h18', 'M8.5 8h3M8.5 12h3M8.5 16h3'],
};

/** A decorative icon; the words next to it carry the meaning. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('focusable', 'false');
  PATHS[name].forEach((d) => {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('d', d);
    svg.appendChild(path);
  });
  return svg;
}

/** A provider's or employer's mark: its picture when it is one of ours, else its initials on a quiet tint. */
export function mark(name, url, size) {
  const box = h('span', { class: 'mark' + (size ? ' mark-' + size : ''), 'aria-hidden': 'true' });
  const initials = () => {
    const words = name.replace(/[^0-9A-Za-z\u00c0-\uffff ]/g, '').split(/\s+/).filter(Boolean);
    const letters = words.length > 1 ? words[0][0] + words[1][0] : (words[0] || '?').slice(0, 2);
    let sum = 0;
    for (const letter of name) sum += letter.codePointAt(0);
    box.className += ' tint-' + (sum % 6);
    replace(box, letters.toUpperCase());
  };
  const path = ownPath(url);
  if (!path) {
    initials();
    return box;
  }
  const image = h('img', { src: path, alt: '', width: '40', height: '40', decoding: 'async' });
  image.addEventListener('error', initials);
  box.appendChild(image);
  return box;
}

// The page's policy loads pictures from its own origin only. Our marks are here under whatever name the server was reached.
function ownPath(url) {
  try {
    const target = new URL(url || 'data:,', location.href);
    return target.origin === location.origin || target.pathname.startsWith('/bridge/marks/') ? target.pathname : '';
  } catch (error) {
    return '';
  }
}
