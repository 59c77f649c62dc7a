"""Three answers from memory, in the way of Flask's own first example."""

from pathlib import Path

from flask import Flask, Response

app = Flask(__name__)
status, token, incomes = (Path(f"{name}.json").read_text() for name in ("status", "token", "incomes"))


@app.get("/status/")
def get_status():
    return Response(status, mimetype="application/json")


@app.post("/v1/bridge-tokens/")
def create_bridge_token():
    return Response(token, mimetype="application/json")


@app.post("/v1/verifications/incomes/")
def get_incomes():
    return Response(incomes, mimetype="application/json")
