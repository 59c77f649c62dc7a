// One attempt at a provider, from the created task to its end: progress, the provider's questions, and what came of it.
import { follow } from './task.js';
import { choiceScreen } from './screen-choice.js';
import { codeScreen } from './screen-code.js';
import { progressScreen } from './screen-progress.js';
import { pushScreen } from './screen-push.js';

const ANOTHER_METHOD = 'other'; // the server's word for "not by phone"

/**
 * `about`: api, shell, texts, providerName. `on`: `view(screen)` shows a question, `replace(screen)` shows progress, which
 * is no view of its own; `startOver()` and `problemText(error)` serve the questions; `loggedIn`, `done`, `failed(task,
 * kind)` and `broken` end or advance the attempt, where `kind` is that of the last question.
 */
export function startAttempt(first, about, on) {
  const { api, shell, texts, providerName } = about;
  const startedAt = Date.now();
  let progress = null; // while it is on show
  let kind = '';
  let answered = null; // the question whose answer was sent last
  let stopped = false;

  function wait(status) {
    if (!progress) {
      progress = progressScreen(providerName, texts, startedAt, shell.say);
      on.replace(progress);
    }
    progress.update(status);
  }

  function ask(task, answer) {
    const { step } = task;
    // The same question once more means that the answer was not right; after a choice comes a question of its own.
    const wasWrong = answered !== null && answered.kind === step.kind && answered.label === step.label;
    const submit = async (text) => {
      try {
        await answer(text);
      } catch (error) {
        if (error.kind !== 'expired') return on.problemText(error);
        if (!stopped) on.broken(error);
        return undefined;
      }
      answered = step;
      if (!stopped) wait('mfa');
      return undefined;
    };
    progress = null;
    kind = step.kind;
    on.view(screenFor(step, wasWrong, submit));
  }

  function screenFor(step, wasWrong, submit) {
    if (step.kind === 'push') return pushScreen(step, providerName, () => submit(ANOTHER_METHOD));
    if (step.kind === 'choice' && step.options && step.options.length > 0) return choiceScreen(step, providerName, submit);
    return codeScreen(step, providerName, wasWrong, submit, on.startOver);
  }

  const following = follow(api, first, {
    trouble: shell.trouble,
    progress: (task) => wait(task.status),
    step: ask,
    loggedIn: on.loggedIn,
    done: on.done,
    failed: (task) => on.failed(task, kind),
    broken: on.broken,
  });
  return {
    stop() {
      stopped = true;
      following.stop();
    },
  };
}
