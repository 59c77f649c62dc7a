// The front end of a product: get a bridge token, open the widget, and show what the back end read.
import { failure, fromBackEnd } from "./back-end.js";
import { readDeposits } from "./deposits.js";
import * as steps from "./steps.js";
import { describe, renderReadable, viewOf } from "./view.js";
import { mask, statusWords } from "./words.js";

const { product, route, environment, bridgeUrl } = document.body.dataset;
const view = viewOf(product);
const connect = document.querySelector("#connect");
const status = document.querySelector("#status");
const problem = document.querySelector("#problem");
const history = document.querySelector("#history");
const refresh = document.querySelector("#refresh");
const deposits = document.querySelector("#deposits");

let successClosing = null;

document.querySelector("#hint").hidden = environment !== "sandbox";
connect.addEventListener("click", () => {
  steps.reset(4);
  steps.done(4, "clicked");
  steps.start(5);
  problem.replaceChildren();
  status.textContent = "";
  refresh.hidden = true;
  deposits.hidden = true;
  window.bridge.open();
});
refresh.addEventListener("click", () => again("/createRefreshTask", "Citadel reads the data again…", afterRefresh));
deposits.addEventListener("submit", (event) => {
  event.preventDefault();
  const [first, second] = readDeposits(deposits);
  if (second) again(`/completeFundingSwitchFlow/${first}/${second}`, "The provider checks the amounts…", view.sentence);
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
    const { body, timing } = await fromBackEnd(`/${route}/${publicToken}`, 8);
    steps.done(8, `access_token ${mask(view.report(body).access_token)}${timing.exchange ?? ""}`);
    showAnswer(body, timing);
    status.textContent = view.sentence(body);
  } catch (error) {
    showProblem(error);
  }
}

function onClose() {
  if (successClosing === true) return;
  steps.stop(6, "closed before the end");
  renderPayrollData(view.nothing);
  renderReadable([]);
  status.textContent = "The flow was closed before the end, so nothing was shared. Click Connect to begin again.";
}

/** Steps 9 to 11, each time that an answer came. */
function showAnswer(body, timing) {
  const report = view.report(body);
  steps.done(9, `${product} report, status ${report.status}${timing.report ?? ""}`);
  steps.done(10, view.holds(body));
  renderPayrollData(view.raw(body));
  renderReadable(view.render(body, product));
  refresh.hidden = !view.canRefresh;
  deposits.hidden = !report.micro_deposits_required;
  steps.done(11, "shown");
}

function renderPayrollData(data) {
  document.querySelector("#raw").hidden = false;
  history.textContent = JSON.stringify(data, null, 2);
}

/** Refresh and the second step of `fas` go through the steps once more, from the ninth on. */
async function again(path, sentence, sentenceAfter) {
  const focused = document.activeElement;
  setBusy(true);
  problem.replaceChildren();
  steps.reset(9);
  steps.start(9);
  steps.note(9, `GET ${path} → POST /v1/refresh/tasks/`);
  status.textContent = sentence;
  try {
    const { body, timing } = await fromBackEnd(path, 9);
    showAnswer(body, timing);
    status.textContent = sentenceAfter(body);
  } catch (error) {
    showProblem(error);
  }
  setBusy(false);
  // A disabled button loses the focus, and the form may be gone.
  (focused.checkVisibility() ? focused : connect).focus();
}

function setBusy(isBusy) {
  for (const button of [connect, refresh, deposits.querySelector("button")]) button.disabled = isBusy;
}

function afterRefresh(body) {
  const end = view.report(body).refresh_status ?? "done";
  if (end === "done") return "Refreshed. The data is below.";
  return `The data could not be refreshed, and is as it was before. ${statusWords(end)}.`;
}

// The back end says in which step it failed and what to do.
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
