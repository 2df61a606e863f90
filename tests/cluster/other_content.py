"""Other content for the stick: a definition that is newer, or asks for too much; a bundle that lacks something."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.cluster import rig
from tests.cluster.reach import SANDBOX

GREETING = """apiVersion: v1
kind: ConfigMap
metadata:
  name: greeting
data:
  site: "{{.spectro.var.site}}"
  words: "{{.spectro.var.words}}"
"""


def onsite(*words: str) -> None:
    done = subprocess.run([sys.executable, "-m", "tui", *words], cwd=rig.CODE, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def definition(stick: Path, name: str, change: Callable[[dict[str, Any]], None]) -> None:
    """`name`.tgz on the stick: the example with the engine's pack, changed."""
    folder = stick / name
    onsite("definition", "new", str(folder))
    document = yaml.safe_load((folder / "definition.yaml").read_text())
    packs = document["profiles"][0]["packs"]
    packs.insert(0, {"name": "engine", "version": "1.0.0", "values": "packs/engine.yaml"})
    change(document)
    (folder / "definition.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    (folder / "packs/engine.yaml").write_text(yaml.safe_dump(SANDBOX))
    (folder / "packs/greeting.yaml").write_text(GREETING)
    onsite("definition", "build", str(folder), "--output", str(stick / f"{name}.tgz"))
    shutil.rmtree(folder)


def newer(document: dict[str, Any]) -> None:
    """What an update brings: a pack that changed, another default, a variable that was not there."""
    document["version"] = "1.1.0"
    profile = document["profiles"][0]
    profile["version"] = profile["packs"][1]["version"] = "1.1.0"
    profile["variables"].append({"name": "words", "displayName": "Words", "defaultValue": "Welcome"})


def greedy(document: dict[str, Any]) -> None:
    """Asks for an image that no bundle has."""
    document["name"] = "till"
    document["profiles"][0]["name"] = "till"
    document["needs_images"] = ["registry.example/shop/till:2.1"]
    document["profiles"][0]["variables"].append({"name": "words", "displayName": "Words", "defaultValue": "Welcome"})


def bundle_without(stick: Path, payload: Path, name: str, *lacking: str) -> None:
    """`name`.tar.zst on the stick: the payload without the images of these archives."""
    folder = stick / name
    inventory = json.loads((payload / "payload.json").read_text())
    archives = {image["archive"] for image in inventory["images"] if any(word in image["archive"] for word in lacking)}
    inventory["images"] = [image for image in inventory["images"] if image["archive"] not in archives]
    inventory["files"] = [part for part in inventory["files"] if part["path"] not in archives]
    for part in inventory["files"]:
        (folder / part["path"]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(payload / part["path"], folder / part["path"])
    (folder / "payload.json").write_text(json.dumps(inventory))
    onsite("bundle", "build", str(folder), "--output", str(stick / f"{name}.tar.zst"), "--name", name)
    shutil.rmtree(folder)
