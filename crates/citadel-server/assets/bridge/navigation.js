// Which screen is on show, which ones are behind it, and what the host was told of them. It knows none of them.

/** `tell(viewName)` hears of each new view. */
export function createNavigation(shell, tell) {
  let trail = []; // this screen and those behind it, each a function that shows it again
  let moves = 0;
  let screen = null;
  let view = '';

  const last = () => trail[trail.length - 1];

  function leaveScreen() {
    if (screen && screen.leave) screen.leave();
    screen = null;
  }

  /** Shows a screen that is no new view. */
  function replace(next) {
    leaveScreen();
    screen = next;
    shell.show(next);
  }

  function tellView(viewName) {
    view = viewName;
    tell(viewName);
  }

  function showLast() {
    moves += 1;
    last()();
  }

  function goBack() {
    trail.pop();
    showLast();
  }

  return {
    leaveScreen,
    replace,
    tellView,
    showLast,
    last,
    show(viewName, next) {
      replace(next);
      tellView(viewName);
    },
    /** The view that the host was told of last. */
    view: () => view,
    /** One more with each step, so that what was asked for before can tell that it comes too late. */
    moves: () => moves,
    /** A step that is on its way already, by a second click, starts anew. */
    forward(step) {
      if (last() !== step) trail.push(step);
      showLast();
    },
    /** The way back, or null at the first screen. */
    back: () => (trail.length > 1 ? goBack : null),
    dropLast: () => trail.pop(),
    /** Makes `step` the last one, if it is on the trail. */
    cutAfter(step) {
      if (trail.indexOf(step) >= 0) trail.length = trail.lastIndexOf(step) + 1;
    },
    /** Drops the first of `steps` that is on the trail, and all after it. */
    cutBefore(steps) {
      const first = trail.findIndex((step) => steps.indexOf(step) >= 0);
      if (first >= 0) trail.length = first;
    },
    clear() {
      trail = [];
    },
  };
}
