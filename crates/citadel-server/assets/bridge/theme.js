// Light or dark, as the host or the system wants it.

export function applyTheme(theme) {
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  const isDark = () => theme === 'dark' || (theme === 'auto' && dark.matches);
  const apply = () => document.documentElement.setAttribute('data-theme', isDark() ? 'dark' : 'light');
  apply();
  if (theme === 'auto' && dark.addEventListener) dark.addEventListener('change', apply);
}
