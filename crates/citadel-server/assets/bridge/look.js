// The client's own look over ours: colours here, texts and the picture where they are shown. Whatever was chosen, text keeps
// to WCAG AA: where it would not, it becomes black or white.

const AA = 4.5;
const BLACK = '#000000';
const WHITE = '#ffffff';

// What our own styles have: what text stands on, the two texts, and the accent.
const OURS = {
  light: { grounds: ['#ffffff', '#e8f2f0'], ink: '#14211f', soft: '#55635f', accent: '#0f5c56' },
  dark: { grounds: ['#171e1d', '#1d302d'], ink: '#eef3f1', soft: '#a9b7b3', accent: '#7fd6c8' },
};

function luminance(color) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : Math.pow((part + 0.055) / 1.055, 2.4);
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** One of the two can be read on any ground. */
function plainOn(ground) {
  return contrast(BLACK, ground) >= contrast(WHITE, ground) ? BLACK : WHITE;
}

function readable(color, grounds, otherwise) {
  return grounds.every((ground) => contrast(color, ground) >= AA) ? color : otherwise;
}

/** The theme whose marks and icons fit a look, and its colours by the names of the style sheet. */
function colorsOf(look, hostTheme) {
  const background = look.background_color;
  const theme = background ? (plainOn(background) === WHITE ? 'dark' : 'light') : hostTheme;
  const ours = OURS[theme];
  const colors = {};
  const grounds = background ? [background] : ours.grounds;
  const ink = background ? readable(ours.ink, grounds, plainOn(background)) : ours.ink;
  if (background) {
    const soft = readable(ours.soft, grounds, ink);
    Object.assign(colors, {
      '--ground': background,
      '--card': background,
      '--sunk': background,
      '--wash': background,
      '--ink': ink,
      '--soft': soft,
      '--line': soft,
      '--edge': soft,
    });
  }
  const accent = look.accent_color;
  if (accent) Object.assign(colors, { '--accent': accent, '--accent-strong': accent, '--on-accent': plainOn(accent) });
  if (accent || background) colors['--accent-ink'] = readable(accent || ours.accent, grounds, ink);
  return { theme, colors };
}

/** Dresses the page: in the theme that the host asked for, and in a client's look once it is known. */
export function createDress(root, theme) {
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  let look = {};
  let worn = [];
  function apply() {
    const isDark = theme === 'dark' || (theme === 'auto' && dark.matches);
    const next = colorsOf(look, isDark ? 'dark' : 'light');
    root.setAttribute('data-theme', next.theme);
    worn.forEach((name) => root.style.removeProperty(name));
    worn = Object.keys(next.colors);
    worn.forEach((name) => root.style.setProperty(name, next.colors[name]));
  }
  apply();
  if (theme === 'auto' && dark.addEventListener) dark.addEventListener('change', apply);
  return (chosen) => {
    look = chosen;
    apply();
  };
}
