"""Signs people of the sandbox in for every product, and prints the ids and tokens of what is there then, as JSON.

A name is that of a parameter in a path; before a dot may stand the one operation that it is for.
"""

import json
import os
import urllib.error
import urllib.request

URL = os.environ["API_URL"]
HEADERS = {
    "X-Access-Client-Id": os.environ["API_CLIENT_ID"],
    "X-Access-Secret": os.environ["API_SECRET"],
    "Content-Type": "application/json",
}
# What the environment says about proxies is not meant for this machine.
http = urllib.request.build_opener(urllib.request.ProxyHandler({}))
ACCOUNT = {"account_number": "16002600", "account_type": "checking", "routing_number": "123456789", "bank_name": "TD Bank"}


def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    try:
        with http.open(urllib.request.Request(URL + path, data, HEADERS, method=method), timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{method} {path}: {error.code} {error.read().decode()}") from None


def sign_in(product, **more):
    bridge_token = call("POST", "bridge-tokens/", {"product_type": product, **more})["bridge_token"]
    login = {"bridge_token": bridge_token, "provider_id": "adp", "username": "goodlogin", "password": "goodpassword"}
    signed_in = call("POST", "sandbox/public-tokens/", login)
    assert signed_in["status"] == "done", (product, signed_in)
    token = call("POST", "link-access-tokens/", {"public_token": signed_in["public_token"]})["access_token"]
    return token, signed_in


user = call("POST", "users/", {"external_user_id": "qs-1338", "first_name": "John", "last_name": "Doe"})
income, signed_in = sign_in("income")
admin, of_admin = sign_in("admin")
switch, of_switch = sign_in("deposit_switch", account={**ACCOUNT, "deposit_type": "entire"})
loan, _ = sign_in("pll", company_mapping_id="3b83c2f9e220e895091649ff6f5bdde4",
                  account={**ACCOUNT, "deposit_type": "amount", "deposit_value": "50.00"})
funding, _ = sign_in("fas", account=ACCOUNT)
link = signed_in["link_id"]
register = call("POST", "administrators/payrolls/",
                {"access_token": admin, "start_date": "2025-01-01", "end_date": "2025-03-31"})
tax = call("GET", f"links/{link}/tax/")
statements = call("GET", f"links/{link}/statements/")
person = f"users/{user['id']}/"
of_user = call("POST", person + "tokens/", {"product_type": "income"})["bridge_token"]
call("POST", "sandbox/public-tokens/",
     {"bridge_token": of_user, "provider_id": "adp", "username": "goodlogin", "password": "goodpassword"})
report = call("POST", person + "reports/", {})
order = call("POST", "orders/", {"order_number": "1", "first_name": "John", "last_name": "Doe", "products": ["income"],
                                 "employers": [{"company_name": "Home Depot"}]})
webhook = call("POST", "webhooks/", {"name": "main", "webhook_url": "https://hooks.example.com/", "env_type": "sandbox"})
template = call("POST", "templates/", {"name": "Plain"})
scenario = call("POST", "sandbox/scenarios/", {
    "data_source": "payroll", "label": "one", "username": "nadia", "password": "quill",
    "payload": {"employments": [{"company": {"name": "Millbrook Foods"}, "profile": {"first_name": "Nadia"}}]},
})
first = lambda answer: (answer["results"] if isinstance(answer, dict) and "results" in answer else answer)[0]
print(json.dumps({
    "link_id": link,
    "task_id": signed_in["task_id"],
    "get_refresh_task.task_id": call("POST", "refresh/tasks/", {"access_token": income})["task_id"],
    "user_id": user["id"],
    "report_id": report["report_id"],
    "get_payroll_report.report_id": register["payroll_report_id"],
    "order_id": order["id"],
    "webhook_id": webhook["id"],
    "template_id": template["id"],
    "scenario_id": scenario["id"],
    "event_id": call("GET", "events/")["results"][0]["id"],
    "company_mapping_id": "3b83c2f9e220e895091649ff6f5bdde4",
    "provider_id": "adp",
    "kind": "income",
    "statement_id": first(statements)["id"],
    "tax_document_id": first(tax)["id"],
    "access_token": income,
    "tokens": {
        "get_deposit_switch": switch,
        "get_paycheck_linked_loan": loan,
        "get_account_switch": funding,
        "get_directory": admin,
        "get_admin_report": admin,
        "create_payroll_report": admin,
    },
}))
