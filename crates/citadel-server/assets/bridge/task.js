// Follows one task on the server until it asks for an answer or ends. The server may restart meanwhile: it resumes
// the task, so all this does is keep asking.
import { patiently, pause } from './api.js';

const POLL_MS = 400;
const RUNNING = ['new', 'login', 'mfa', 'parse', 'full_parse', 'switch_deposit'];
const PAST_LOGIN = ['parse', 'full_parse', 'switch_deposit', 'done'];

/**
 * Calls `on.loggedIn(task)` once, when the provider has let the person in, even if polling skipped a state;
 * `on.progress(task)` for each status; `on.step(task, answer)` for a question; `on.trouble(bool)` as the line drops and
 * comes back; and at the end `on.done(task, publicToken)`, `on.failed(task)` or `on.broken(error)`. After `stop()`
 * nothing is called any more.
 */
export function follow(api, first, on) {
  let stopped = false;
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
      if (task.status === 'mfa' && task.step) {
        lastStatus = '';
        task = await ask(task);
        continue;
      }
      if (task.status !== lastStatus) on.progress(task);
      lastStatus = task.status;
      await pause(POLL_MS);
      if (stopped) return;
      const id = task.task_id;
      task = await patiently(() => api.task(id), trouble, isWanted);
    }
  }

  /** SUCCESS means that the data can be read now and the token is there, so the token is fetched first. */
  async function end(task) {
    if (task.status !== 'done') return on.failed(task);
    const answer = await patiently(() => api.publicToken(task.task_id), trouble, isWanted);
    if (!stopped) on.done(task, answer.public_token);
  }

  /** Resolves once an answer got through; until then every failed attempt is the screen's to show. */
  function ask(task) {
    return new Promise((resolve) => {
      on.step(task, async (text) => {
        let next = task;
        try {
          next = await api.answer(task.task_id, text);
        } catch (error) {
          // Refused: the question is gone, perhaps because an answer got through whose reply was lost. Look again.
          if (error.kind !== 'refused') throw error;
        }
        resolve(Object.assign({}, next, { step: null }));
      });
    });
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
