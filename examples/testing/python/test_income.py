"""An app's tests of reading income, against a Citadel of their own. Python 3.9 or newer, nothing to install.

    CITADEL_BIN=target/release/citadel python3 -m unittest discover --start-directory examples/testing/python
"""

import json
import os
import subprocess
import time
import unittest
import urllib.error
import urllib.request
from decimal import Decimal

# Calls go straight to the server on this machine, whatever proxy the environment names.
http = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Citadel:
    """A server with an empty store on free ports, and one client's key for it.

    It ends when its standard input does: on `stop`, and by itself when the tests die.
    """

    def __init__(self):
        self.process = subprocess.Popen(
            [os.environ.get("CITADEL_BIN", "citadel"), "serve", "--ephemeral", "--print-env", "--stop-with-stdin"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"CITADEL_LOG": "warn", **os.environ},
            text=True,
        )
        env = {}
        while "CITADEL_READY" not in env:
            line = self.process.stdout.readline()
            if not line:
                self.stop()
                raise RuntimeError("citadel ended before it was ready; see above")
            name, _, value = line.strip().partition("=")
            env[name] = value
        self.url = env["API_URL"]
        self.headers = {
            "X-Access-Client-Id": env["API_CLIENT_ID"],
            "X-Access-Secret": env["API_SECRET"],
            "Content-Type": "application/json",
        }

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, self.headers, method=method)
        try:
            with http.open(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from None

    def post(self, path, body):
        return self.call("POST", path, body)

    def sign_in(self, product_type, username, password, **more):
        """What the widget does for a person, without a browser. Answers when the sign-in has ended."""
        bridge_token = self.post("bridge-tokens/", {"product_type": product_type})["bridge_token"]
        login = {"provider_id": "adp", "username": username, "password": password, **more}
        return self.post("sandbox/public-tokens/", {"bridge_token": bridge_token, **login})

    def access_token(self, product_type, username, password, **more):
        signed_in = self.sign_in(product_type, username, password, **more)
        assert signed_in["status"] == "done", signed_in
        return self.post("link-access-tokens/", {"public_token": signed_in["public_token"]})["access_token"]

    def income(self, access_token):
        return self.post("verifications/incomes/", {"access_token": access_token})

    def refresh(self, access_token):
        task_id = self.post("refresh/tasks/", {"access_token": access_token})["task_id"]
        for _ in range(600):
            status = self.call("GET", f"refresh/tasks/{task_id}/")["status"]
            if status == "done" or status.endswith("error") or status in ("no_data", "unavailable"):
                return status
            time.sleep(0.05)
        raise AssertionError("the refresh has not ended after 30 seconds")


class IncomeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.citadel = Citadel()
        cls.addClassCleanup(cls.citadel.stop)

    def test_reads_what_a_person_earns(self):
        access_token = self.citadel.access_token("income", "goodlogin", "goodpassword")
        employment = self.citadel.income(access_token)["employments"][0]
        self.assertEqual(employment["profile"]["first_name"], "John")
        self.assertEqual(employment["profile"]["last_name"], "Doe")
        self.assertGreater(len(employment["statements"]), 1)
        for statement in employment["statements"]:
            earned = sum(Decimal(earning["amount"]) for earning in statement["earnings"])
            self.assertEqual(Decimal(statement["gross_pay"]), earned, statement["pay_date"])

    def test_signs_in_with_a_code(self):
        signed_in = self.citadel.sign_in("income", "goodlogin", "mfa", mfa_code="12345")
        self.assertEqual(signed_in["status"], "done")

    def test_a_refused_login_gives_no_token(self):
        refused = self.citadel.sign_in("income", "goodlogin", "a wrong password")
        self.assertEqual(refused["status"], "login_error")
        self.assertIsNone(refused["public_token"])

    def test_two_weeks_later_there_is_one_more_statement(self):
        access_token = self.citadel.access_token("income", "goodlogin", "goodpassword")
        before = self.citadel.income(access_token)["employments"][0]["statements"]
        self.citadel.post("sandbox/clock/", {"advance": "P14D"})
        self.assertEqual(self.citadel.refresh(access_token), "done")
        after = self.citadel.income(access_token)["employments"][0]["statements"]
        latest = before[0]["pay_date"]
        self.assertEqual(len([each for each in after if each["pay_date"] > latest]), 1)


if __name__ == "__main__":
    unittest.main()
