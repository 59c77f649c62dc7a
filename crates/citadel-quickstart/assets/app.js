// The front end of a verification: get a bridge token, open the widget, and show what the back end read.
import * as steps from "./steps.js";
import { describe, mask, renderReadable } from "./view.js";

const { product, environment, bridgeUrl } = document.body.dataset;
const connect = document.querySelector("#connect");
const status = document.querySelector("#status");
const problem = document.querySelector("#problem");
const history = document.querySelector("#history");

let successClosing = null;

document.querySelector("#hint").hidden = environment !== "sandbox";
connect.addEventListener("click", () => {
  steps.reset(4);
  steps.done(4, "clicked");
  steps.start(5);
  problem.replaceChildren();
  status.textContent = "";
  window.bridge.open();
});
prepare();

async function prepare() {
  try {
    steps.done(1, "asked");
    steps.start(2);
    const { body } = await fromBackEnd("/getBridgeToken", 2);
    steps.done(2, `bridge_token ${mask(body.bridge_token)}`);
    // The script in the head of the page brings the widget. It goes by either name.
    const library = window.CitadelBridge ?? window.TruvBridge;
    if (!library) {
      throw failure(3, `The widget did not load from ${bridgeUrl}. Check that Citadel runs and that BRIDGE_URL is right.`);
    }
    window.bridge = library.init({ bridgeToken: body.bridge_token, onLoad, onEvent, onSuccess, onClose, onExit });
    steps.done(3, "ready");
    steps.start(4);
    connect.disabled = false;
  } catch (error) {
    showProblem(error, () => location.reload());
  }
}

// Not every version of the widget tells why it closed; ours does.
function onExit(reason) {
  if (reason === "token_expired") prepare();
}

function onLoad() {
  successClosing = null;
  steps.done(5, "the widget is on the page");
  steps.start(6);
}

function onEvent(type, payload) {
  const sentence = describe(type, payload);
  if (sentence) steps.note(6, sentence);
}

async function onSuccess(publicToken) {
  successClosing = true;
  steps.done(6, "signed in");
  steps.done(7, `public_token ${mask(publicToken)}`);
  steps.start(8);
  status.textContent = "Reading the data…";
  try {
    const { body, timing } = await fromBackEnd(`/getVerifications/${publicToken}`, 8);
    steps.done(8, `access_token ${mask(body.access_token)}${timing.exchange ?? ""}`);
    steps.done(9, `${product} report, status ${body.status}${timing.report ?? ""}`);
    steps.done(10, body.employments.length === 1 ? "1 job" : `${body.employments.length} jobs`);
    renderPayrollData(body.employments);
    renderReadable(body, product);
    steps.done(11, "shown");
    status.textContent = body.employments.length ? "Done. The data is below." : `The report holds no job: its status is ${body.status}.`;
  } catch (error) {
    showProblem(error);
  }
}

function onClose() {
  if (successClosing === true) return;
  steps.stop(6, "closed before the end");
  renderPayrollData([{ company: { address: {} } }]);
  renderReadable({ employments: [] }, product);
  status.textContent = "The flow was closed before the end, so nothing was shared. Click Connect to begin again.";
}

function renderPayrollData(data) {
  document.querySelector("#raw").hidden = false;
  history.textContent = JSON.stringify(data, null, 2);
}

// The back end says in which step it failed and what to do.
function failure(step, message) {
  return Object.assign(new Error(message), { step });
}

async function fromBackEnd(path, step) {
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

function showProblem(error, tryAgain) {
  console.error(error);
  steps.fail(error.step ?? 11);
  status.textContent = "";
  const title = document.createElement("strong");
  title.textContent = error.step ? `Step ${error.step} failed` : "The page failed";
  const message = document.createElement("p");
  message.textContent = error.message;
  problem.replaceChildren(title, message);
  if (tryAgain) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Try again";
    button.addEventListener("click", tryAgain);
    problem.append(button);
  }
}
