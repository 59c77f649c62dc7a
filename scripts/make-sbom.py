#!/usr/bin/env python3
"""Writes the bill of materials of the `citadel` program as CycloneDX 1.5: every library that is linked into it, from Cargo.lock.

    scripts/make-sbom.py [FILE]         target/citadel.cdx.json when absent

Tests, benchmarks and build scripts are not in it. The same lock file gives the same bytes."""

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
metadata = json.loads(subprocess.run(
    ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", "x86_64-unknown-linux-gnu"],
    cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
packages = {package["id"]: package for package in metadata["packages"]}
nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
hashes = {}
for entry in (ROOT / "Cargo.lock").read_text().split("[[package]]")[1:]:
    fields = dict(line.split(" = ", 1) for line in entry.strip().splitlines() if " = " in line)
    if "checksum" in fields:
        hashes[fields["name"].strip('"'), fields["version"].strip('"')] = fields["checksum"].strip('"')

root = next(id for id, package in packages.items() if package["name"] == "citadel-cli")
linked, left = set(), [root]
while left:
    id = left.pop()
    if id in linked:
        continue
    linked.add(id)
    for dependency in nodes[id]["deps"]:
        # Null is a usual dependency; "dev" and "build" are not linked.
        if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
            left.append(dependency["pkg"])


def reference(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(package):
    name, version = package["name"], package["version"]
    found = {"type": "library", "bom-ref": reference(package), "name": name, "version": version,
             "purl": reference(package)}
    if package.get("license"):
        found["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    if (name, version) in hashes:
        found["hashes"] = [{"alg": "SHA-256", "content": hashes[name, version]}]
    return found


def dependencies(id):
    on = {reference(packages[each["pkg"]]) for each in nodes[id]["deps"] if each["pkg"] in linked}
    return {"ref": reference(packages[id]), "dependsOn": sorted(on)}


ordered = sorted(linked, key=lambda id: reference(packages[id]))
bill = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.5",
    "version": 1,
    "metadata": {"component": {**component(packages[root]), "type": "application", "name": "citadel"}},
    "components": [component(packages[id]) for id in ordered if id != root],
    "dependencies": [dependencies(id) for id in ordered],
}
file = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(metadata["target_directory"]) / "citadel.cdx.json"
file.parent.mkdir(parents=True, exist_ok=True)
file.write_text(json.dumps(bill, indent=1) + "\n")
print(f"{file}: {len(bill['components'])} libraries")
