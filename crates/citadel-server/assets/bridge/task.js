// Follows one task on the server until it asks for an answer or ends. The server may restart meanwhile: it resumes
// the task, so all this does is keep asking.
import { patiently, pause } from './api.js';

const POLL_MS = 400; // after an answer without news
const STEP_POLL_MS = 1000; // while a person thinks or looks for a phone
const RUNNING = ['new', 'login', 'mfa', 'parse', 'full_parse', 'switch_deposit'];
const PAST_LOGIN = ['parse', 'full_parse', 'switch_deposit', 'done'];

/**
 * Calls `on.loggedIn(task)` once, when the provider has let the person in, even if polling skipped a state;
 * `on.progress(task)` for each status; `on.step(task, answer)` for each question, also when one takes the place of
 * another; `on.trouble(bool)` as the line drops and comes back; and at the end `on.done(task, publicToken)`,
 * `on.failed(task)` or `on.broken(error)`. After `stop()` nothing is called any more.
 */
export function follow(api, first, on) {
  let stopped = false;
  let asked = ''; // the question on show
  let isAnswering = false;
  let answers = 0;
  let waitedFor = ''; // the status that the last look knew of
  let wake = () => {};
  const isWanted = () => !stopped;
  const trouble = (isTrouble) => {
    if (!stopped) on.trouble(isTrouble);
  };

  async function run() {
    let task = first;
    let lastStatus = '';
    let isLoggedIn = false;
    await null; // the caller holds what it follows before it hears of it
    while (!stopped) {
      if (!isLoggedIn && PAST_LOGIN.indexOf(task.status) >= 0) {
        isLoggedIn = true;
        on.loggedIn(task);
      }
      if (RUNNING.indexOf(task.status) < 0) return end(task);
      const question = task.status === 'mfa' && task.step ? nameOf(task.step) : '';
      if (question && question !== asked) on.step(task, (text) => answer(task.task_id, text));
      if (!question && (asked || task.status !== lastStatus)) on.progress(task);
      asked = question;
      lastStatus = task.status;
      task = await next(task.task_id, task.status);
    }
  }

  /** The task a moment later. What was read while an answer was on its way is older than that answer, so it is read again. */
  async function next(id, status) {
    const seen = asked ? '' : status;
    const isNews = seen && seen !== waitedFor;
    waitedFor = seen;
    for (let wait = isNews ? 0 : asked ? STEP_POLL_MS : POLL_MS; ; wait = wait || POLL_MS) {
      await rest(wait);
      if (stopped) return null;
      if (isAnswering) continue;
      const before = answers;
      const task = await patiently(() => api.task(id, seen), trouble, isWanted);
      if (before === answers && !isAnswering) return task;
    }
  }

  function rest(milliseconds) {
    return new Promise((resolve) => {
      wake = resolve;
      pause(milliseconds).then(resolve);
    });
  }

  /** Rejects when the answer did not get through; the question stays, and the screen says why. */
  async function answer(id, text) {
    isAnswering = true;
    try {
      await api.answer(id, text);
      asked = ''; // what stands from now on is new, even in the same words
    } catch (error) {
      // Refused: the question is gone, perhaps because an answer got through whose reply was lost. Look again.
      if (error.kind !== 'refused') throw error;
      asked = '';
    } finally {
      isAnswering = false;
      answers += 1;
      wake();
    }
  }

  /** SUCCESS means that the data can be read now and the token is there, so the token is fetched first. */
  async function end(task) {
    if (task.status !== 'done') return on.failed(task);
    const answer = await patiently(() => api.publicToken(task.task_id), trouble, isWanted);
    if (!stopped) on.done(task, answer.public_token);
  }

  run().catch((error) => {
    if (!stopped) on.broken(error);
  });
  return {
    stop() {
      trouble(false);
      stopped = true;
    },
  };
}

/** Tells one question from another. An approval is asked for anew as long as it stands, each time with a later end. */
function nameOf(step) {
  return JSON.stringify(step.kind === 'push' ? Object.assign({}, step, { expires_at: '' }) : step);
}
