// Asks our own back end, and turns what fails into an error that says in which step and what to do.

export function failure(step, message) {
  return Object.assign(new Error(message), { step });
}

export async function fromBackEnd(path, step) {
  let response;
  try {
    response = await fetch(path, { headers: { accept: "application/json" } });
  } catch {
    throw failure(step, "The back end does not answer. Check that the quickstart still runs in its terminal.");
  }
  const body = await response.json().catch(() => null);
  if (response.ok && body) return { body, timing: readTiming(response.headers.get("server-timing")) };
  throw failure(body?.step ?? step, body?.error?.message ?? `The back end answered with status ${response.status}.`);
}

// "exchange;dur=3.1, report;dur=8.2" becomes { exchange: ", 3.1 ms", report: ", 8.2 ms" }.
function readTiming(header) {
  const entries = [...(header ?? "").matchAll(/(\w+);dur=([\d.]+)/g)];
  return Object.fromEntries(entries.map(([, name, duration]) => [name, `, ${duration} ms`]));
}
