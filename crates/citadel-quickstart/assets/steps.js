// The list of the eleven steps: each lights up with the time at which it happened.
const items = [...document.querySelectorAll("#steps > li")];
const CLOCK = new Intl.DateTimeFormat([], {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 1,
  hourCycle: "h23",
});

/** Forgets a step and all after it. */
export function reset(first) {
  for (const item of items.slice(first - 1)) {
    delete item.dataset.state;
    item.removeAttribute("aria-current");
    item.querySelector(".outcome")?.remove();
  }
}

export function start(number) {
  const item = items[number - 1];
  item.dataset.state = "running";
  item.setAttribute("aria-current", "step");
}

/** Says what goes on inside a running step. */
export function note(number, sentence) {
  const item = items[number - 1];
  if (item.dataset.state === "running") outcome(item).replaceChildren(sentence);
}

export function done(number, sentence) {
  end(number, "done", sentence);
}

/** What ran before a failed step was done; what comes after it never began. */
export function fail(number) {
  for (let before = 1; before < number; before += 1) {
    if (items[before - 1].dataset.state === "running") done(before, "done");
  }
  reset(number);
  end(number, "failed", "failed");
}

export function stop(number, sentence) {
  reset(number);
  end(number, "stopped", sentence);
}

function end(number, state, sentence) {
  const item = items[number - 1];
  const now = new Date();
  const time = document.createElement("time");
  time.dateTime = now.toISOString();
  time.textContent = CLOCK.format(now);
  item.dataset.state = state;
  item.removeAttribute("aria-current");
  outcome(item).replaceChildren(time, ` ${sentence}`);
}

function outcome(item) {
  let paragraph = item.querySelector(".outcome");
  if (!paragraph) {
    paragraph = document.createElement("p");
    paragraph.className = "outcome";
    item.append(paragraph);
  }
  return paragraph;
}
