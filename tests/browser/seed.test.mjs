// Rows 1 and 5 of the acceptance checklist: a page written for the first Citadel quickstart runs here, with nothing changed but
// host names, for each of its products; and inside `onSuccess` the data can be read at once.
//
// The page below holds the seed's own statements: a blocking script in the head, `init` with five keys, an inline handler
// that opens, and callbacks that fetch and print. Its back end is the quickstart's, whose routes are the seed's.
import assert from "node:assert/strict";
import http from "node:http";
import { after, before, describe, test } from "node:test";
import { chooseEmployerAndConfirm, chooseProvider, confirmAccount, signInAsCompany } from "./company.mjs";
import { discard, prepare, start } from "./stack.mjs";
import { closeBrowser, newVisit, openBrowser } from "./visit.mjs";
import { chooseEmployer, finish, frameOf, history, signIn } from "./widget.mjs";

const PRODUCTS = {
  employment: { route: "getVerifications", go: asPerson, check: (body) => assert.ok(body.employments[0].company.name) },
  income: { route: "getVerifications", go: asPerson, check: (body) => assert.ok(body.employments[0].statements.length > 0) },
  admin: {
    route: "getAdminData",
    go: asCompany,
    check: (body) => assert.ok(body.directory.directory.length > 0 && body.payroll.payroll_report.length > 0),
  },
  deposit_switch: {
    route: "getDepositSwitchData",
    go: asSwitcher,
    check: (body) => assert.equal(body.deposit_details.account_number, "16002600"),
  },
  pll: {
    route: "getPaycheckLinkedLoanData",
    go: asSwitcher,
    check: (body) => assert.equal(body.deposit_details.deposit_value, "1.00"),
  },
  fas: {
    route: "startFundingSwitchFlow",
    go: asFunder,
    check: (body) => assert.equal(body.micro_deposits_required, true),
  },
};

const page = (script, route) => `<!doctype html>
<html><head><script src="${script}"></script></head>
<body>
<button onclick="bridge.open()">Connect</button>
<div class="spinnerContainer hidden"></div>
<pre id="history"></pre>
<script>
  const apiEndpoint = '/';
  const headers = { 'Content-Type': 'application/json' };
  let successClosing = null;
  const getBridgeToken = async () => {
    const response = await fetch(apiEndpoint + 'getBridgeToken', { method: 'get', headers }).then((r) => r.json());
    return response;
  };
  function renderPayrollData(data) {
    const historyContainer = document.querySelector("#history");
    historyContainer.innerHTML = JSON.stringify(data, null, 2);
  }
  getBridgeToken().then((bridgeToken) => {
    const bridge = CitadelBridge.init({
      bridgeToken: bridgeToken.bridge_token,
      onLoad: function () {
        successClosing = null;
      },
      onEvent: function (eventType, payload) {
        console.log('event', eventType, payload);
      },
      onSuccess: async function (token) {
        successClosing = true;
        const content = document.querySelector('.spinnerContainer');
        content.classList.remove('hidden');
        const data = await fetch(apiEndpoint + '${route}/' + token, { method: 'get', headers }).then((r) => r.json());
        content.classList.add('hidden');
        renderPayrollData(data);
      },
      onClose: function () {
        if (successClosing !== true) {
          renderPayrollData([{ company: { address: {} } }]);
        }
      },
    });
    window.bridge = bridge;
  });
</script>
</body></html>`;

before(openBrowser);
after(closeBrowser);

for (const [product, { route, go, check }] of Object.entries(PRODUCTS)) {
  describe(`rows 1 and 5: the seed's page for ${product}`, () => {
    let place, stack;
    before(async () => {
      place = await prepare(product);
      stack = await start(place);
    });
    after(async () => {
      await stack?.stop();
      await discard(place);
    });

    test("runs unchanged and reads its data inside onSuccess", async () => {
      const visit = await newVisit();
      const site = await serve(page(`${stack.api}/bridge.js`, route), stack.url);
      await visit.page.goto(site.url);
      await visit.page.waitForFunction(() => window.bridge);
      await visit.page.getByRole("button", { name: "Connect" }).click();
      const frame = frameOf(visit.page);
      await go(visit, frame);
      await finish(visit, frame);
      check(await history(visit.page));
      const story = await visit.story();
      assert.deepEqual(story.slice(-2), ["onSuccess", "CLOSE"]);
      assert.equal(story.filter((call) => call === "onLoad").length, 1);
      await visit.end();
      await site.stop();
    });
  });
}

/** A site of its own: the page at its root, and everything else from the back end behind it. */
async function serve(html, backEnd) {
  const server = http.createServer(async (request, response) => {
    if (request.url === "/") return response.setHeader("Content-Type", "text/html").end(html);
    const answer = await fetch(backEnd + request.url, { headers: { accept: "application/json" } });
    response.writeHead(answer.status, { "Content-Type": "application/json" }).end(await answer.text());
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () => new Promise((resolve) => server.close(resolve).closeAllConnections());
  return { url: `http://127.0.0.1:${server.address().port}/`, stop };
}

async function asPerson(visit, frame) {
  await chooseEmployer(visit, frame);
  await signIn(frame, "goodlogin", "goodpassword");
}

async function asSwitcher(visit, frame) {
  await chooseEmployerAndConfirm(visit, frame);
  await signIn(frame, "goodlogin", "goodpassword");
}

async function asCompany(visit, frame) {
  await chooseProvider(visit, frame, "ADP");
  await signInAsCompany(frame);
}

async function asFunder(visit, frame) {
  await asCompany(visit, frame);
  await confirmAccount(frame);
}
