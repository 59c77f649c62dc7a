// An app's tests of reading income, against a Citadel of their own. Node 18 or newer; TypeScript only to compile it.
//
//   npm install && CITADEL_BIN=../../../target/release/citadel npm test

import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";

interface SignIn {
  public_token: string | null;
  link_id: string;
  task_id: string;
  status: string;
}

interface Statement {
  pay_date: string;
  gross_pay: string;
  earnings: { amount: string }[];
}

interface Employment {
  profile: { first_name: string; last_name: string };
  statements: Statement[];
}

/** A server with an empty store on free ports, and one client's key for it. */
class Citadel {
  private constructor(
    private readonly child: ChildProcess,
    private readonly env: Map<string, string>,
  ) {}

  /** It ends when its standard input does: on `stop`, and by itself when the tests die. */
  static async start(): Promise<Citadel> {
    const program = process.env.CITADEL_BIN ?? "citadel";
    const child = spawn(program, ["serve", "--ephemeral", "--print-env", "--stop-with-stdin"], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { CITADEL_LOG: "warn", ...process.env },
    });
    await once(child, "spawn");
    const env = new Map<string, string>();
    for await (const line of createInterface({ input: child.stdout })) {
      const at = line.indexOf("=");
      env.set(line.slice(0, at), line.slice(at + 1));
      if (env.has("CITADEL_READY")) return new Citadel(child, env);
    }
    throw new Error("citadel ended before it was ready; see above");
  }

  async stop(): Promise<void> {
    const ended = once(this.child, "exit");
    this.child.stdin?.end();
    await ended;
  }

  async call<T>(method: "GET" | "POST", path: string, body?: object): Promise<T> {
    const answer = await fetch(this.value("API_URL") + path, {
      method,
      headers: {
        "X-Access-Client-Id": this.value("API_CLIENT_ID"),
        "X-Access-Secret": this.value("API_SECRET"),
        "Content-Type": "application/json",
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as T;
  }

  /** What the widget does for a person, without a browser. Answers when the sign-in has ended. */
  async signIn(product_type: string, username: string, password: string, mfa_code?: string): Promise<SignIn> {
    const { bridge_token } = await this.call<{ bridge_token: string }>("POST", "bridge-tokens/", { product_type });
    const login = { provider_id: "adp", username, password, mfa_code };
    return this.call("POST", "sandbox/public-tokens/", { bridge_token, ...login });
  }

  async accessToken(product_type: string, username: string, password: string): Promise<string> {
    const { status, public_token } = await this.signIn(product_type, username, password);
    assert.equal(status, "done");
    return (await this.call<{ access_token: string }>("POST", "link-access-tokens/", { public_token })).access_token;
  }

  async employment(access_token: string): Promise<Employment> {
    const path = "verifications/incomes/";
    const [employment] = (await this.call<{ employments: Employment[] }>("POST", path, { access_token })).employments;
    assert.ok(employment);
    return employment;
  }

  async refresh(access_token: string): Promise<string> {
    const { task_id } = await this.call<{ task_id: string }>("POST", "refresh/tasks/", { access_token });
    for (let tries = 0; tries < 600; tries++) {
      const { status } = await this.call<{ status: string }>("GET", `refresh/tasks/${task_id}/`);
      if (/^(done|no_data|unavailable|.*error)$/.test(status)) return status;
      await pause(50);
    }
    throw new Error("the refresh has not ended after 30 seconds");
  }

  private value(name: string): string {
    const value = this.env.get(name);
    assert.ok(value, `citadel did not print ${name}`);
    return value;
  }
}

let citadel: Citadel;
before(async () => {
  citadel = await Citadel.start();
});
after(() => citadel?.stop());

/** Money comes as text; whole cents add up without a rest. */
const cents = (money: string) => Math.round(Number(money) * 100);

test("reads what a person earns", async () => {
  const { profile, statements } = await citadel.employment(
    await citadel.accessToken("income", "goodlogin", "goodpassword"),
  );
  assert.equal(`${profile.first_name} ${profile.last_name}`, "John Doe");
  assert.ok(statements.length > 1);
  for (const { pay_date, gross_pay, earnings } of statements) {
    const earned = earnings.reduce((sum, { amount }) => sum + cents(amount), 0);
    assert.equal(cents(gross_pay), earned, pay_date);
  }
});

test("signs in with a code", async () => {
  assert.equal((await citadel.signIn("income", "goodlogin", "mfa", "12345")).status, "done");
});

test("a refused login gives no token", async () => {
  const refused = await citadel.signIn("income", "goodlogin", "a wrong password");
  assert.equal(refused.status, "login_error");
  assert.equal(refused.public_token, null);
});

test("two weeks later there is one more statement", async () => {
  const accessToken = await citadel.accessToken("income", "goodlogin", "goodpassword");
  const [latest] = (await citadel.employment(accessToken)).statements;
  assert.ok(latest);
  await citadel.call("POST", "sandbox/clock/", { advance: "P14D" });
  assert.equal(await citadel.refresh(accessToken), "done");
  const { statements } = await citadel.employment(accessToken);
  assert.equal(statements.filter(({ pay_date }) => pay_date > latest.pay_date).length, 1);
});
