"""Validates events against OCSF 1.8.0 and the health extension.

Enters: NDJSON on standard input; argument 1: cache folder, argument 2: folder of the extension.
Leaves: one line per error on standard output, and a closing line with counts.
Exit code: 0 all valid, 1 some event is not, 2 the check itself could not run.
The schema comes from the package `ocsf-json-schema`, which carries the compiled OCSF releases; the
packages are installed once into a virtual environment inside the cache folder.
"""

import hashlib
import json
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
VERSION = "1.8.0"


def stop(reason):
    print(f"cannot validate: {reason}", file=sys.stderr)
    sys.exit(2)


def interpreter(cache):
    """The Python of an environment with the packages of requirements.txt; makes it when missing."""
    wanted = (HERE / "requirements.txt").read_bytes()
    home = cache / f"ocsf-{hashlib.sha256(wanted).hexdigest()[:12]}"
    python = home / "bin" / "python"
    ready = home / "ready"
    if ready.exists():
        return python
    try:
        venv.create(home, with_pip=True, clear=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        done = subprocess.run(
            [*pip, "-r", HERE / "requirements.txt"], capture_output=True, text=True, timeout=300
        )
    except (OSError, subprocess.SubprocessError) as error:
        stop(f"no environment for the OCSF schema: {error}")
    if done.returncode != 0:
        tail = done.stderr.strip().splitlines()[-1:] or ["pip failed"]
        stop(
            "packages of testkit/ocsf/requirements.txt are missing: " + tail[0] + "; "
            "connect to a package index or set VIGIE_DEV_CACHE to a prepared cache"
        )
    ready.touch()
    return python


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


class Extension:
    """Compiles an extension folder into a compiled OCSF schema, in place."""

    def __init__(self, schema, folder):
        self.schema = schema
        self.folder = folder
        self.info = load(folder / "extension.json")
        self.name = self.info["name"]
        self.objects = [load(path) for path in sorted((folder / "objects").glob("*.json"))]
        self.dictionary = dict(schema["dictionary"]["attributes"])
        self.check_dictionary(load(folder / "dictionary.json")["attributes"])

    def check_dictionary(self, own):
        for key, attribute in own.items():
            if key in self.dictionary:
                stop(f"{key} is in the core dictionary already")
            for member in ("caption", "description", "type"):
                if not attribute.get(member):
                    stop(f"dictionary attribute {key} has no {member}")
            self.dictionary[key] = attribute

    def own_object(self, name):
        return any(item["name"] == name for item in self.objects)

    def resolve(self, key, use):
        """An attribute as compiled: what the dictionary says, then what its use says."""
        if key not in self.dictionary:
            stop(f"{key} is in no dictionary")
        made = {**self.dictionary[key], **use}
        if made.get("requirement") not in ("required", "recommended", "optional"):
            stop(f"{key} has no requirement")
        if not made["type"].endswith("_t"):
            kind = made["type"]
            made["object_type"] = f"{self.name}/{kind}" if self.own_object(kind) else kind
            made["type"] = "object_t"
        return made

    def compile(self):
        for item in self.objects:
            made = {k: self.resolve(k, use) for k, use in item["attributes"].items()}
            self.schema["objects"][f"{self.name}/{item['name']}"] = {**item, "attributes": made}
        for path in sorted((self.folder / "events").glob("*.json")):
            event = load(path)
            self.schema["classes"][event["name"]] = self.event(event)

    def base(self, name):
        """Abstract classes are not in compiled schemas: what all their children have is theirs."""
        children = [c for c in self.schema["classes"].values() if c.get("extends") == name]
        if not children:
            stop(f"no class extends {name}")
        first, *others = children
        common = {
            key: value
            for key, value in first["attributes"].items()
            if all(key in child["attributes"] for child in others)
        }
        return {**first, "attributes": json.loads(json.dumps(common))}

    def event(self, event):
        made = self.base(event["extends"])
        uid = self.info["uid"] * 100_000 + made["category_uid"] * 1000 + event["uid"]
        attributes = made["attributes"]
        uses = dict(event["attributes"])
        for include in uses.pop("$include", []):
            profile = load(self.folder / include)
            for key, use in profile["attributes"].items():
                use = {**use, **uses.pop(key, {}), "profiles": [f"{self.name}/{profile['name']}"]}
                attributes[key] = self.resolve(key, use)
        activities = uses.pop("activity_id")["enum"]
        activities |= {"0": {"caption": "Unknown"}, "99": {"caption": "Other"}}
        attributes["activity_id"]["enum"] = activities
        attributes["class_uid"]["enum"] = {str(uid): {"caption": event["caption"]}}
        attributes["type_uid"]["enum"] = {
            str(uid * 100 + int(key)): value for key, value in activities.items()
        }
        for key, use in uses.items():
            attributes[key] = self.resolve(key, use)
        return {**made, "name": event["name"], "caption": event["caption"], "uid": uid}


def deprecated(schema, attributes, value, path, found):
    """Paths of deprecated attributes that an event uses, and siblings that name another value."""
    for key, inner in value.items():
        attribute = attributes.get(key)
        if attribute is None:
            continue
        here = f"{path}.{key}".lstrip(".")
        if "@deprecated" in attribute:
            found.append(f"{here}: deprecated attribute")
        names = attribute.get("enum")
        sibling = value.get(attribute.get("sibling"))
        if names and sibling is not None and str(inner) in names and str(inner) != "99":
            caption = names[str(inner)]["caption"]
            if key in ("activity_id", "category_uid", "class_uid") and sibling != caption:
                found.append(f"{here}: {sibling!r} stands beside {inner}, which is {caption!r}")
        if attribute.get("type") == "object_t":
            kind = schema["objects"][attribute["object_type"]]
            for item in inner if isinstance(inner, list) else [inner]:
                if isinstance(item, dict):
                    deprecated(schema, kind["attributes"], item, here, found)


def check(folder):
    from jsonschema import Draft202012Validator
    from ocsf_json_schema import OcsfJsonSchema, OcsfJsonSchemaEmbedded, get_ocsf_schema

    schema = get_ocsf_schema(VERSION)
    if schema["version"] != VERSION:
        stop(f"the package carries OCSF {schema['version']}, not {VERSION}")
    Extension(schema, folder).compile()
    names = {item["uid"]: name for name, item in schema["classes"].items()}
    validators = {}
    events = errors = 0
    for number, line in enumerate(sys.stdin, 1):
        event = json.loads(line)
        events += 1
        name = names.get(event.get("class_uid"))
        if name is None:
            print(f"line {number}: class_uid {event.get('class_uid')} is not in OCSF {VERSION}")
            errors += 1
            continue
        profiles = tuple(event.get("metadata", {}).get("profiles", []))
        if (name, profiles) not in validators:
            compiled = OcsfJsonSchemaEmbedded(OcsfJsonSchema(schema))
            json_schema = compiled.get_class_schema(name, list(profiles))
            validators[name, profiles] = Draft202012Validator(json_schema)
        if "@deprecated" in schema["classes"][name]:
            print(f"line {number}: {name} is deprecated")
            errors += 1
        found = [
            f"{'.'.join(map(str, error.absolute_path)) or '(event)'}: {error.message[:300]}"
            for error in validators[name, profiles].iter_errors(event)
        ]
        deprecated(schema, schema["classes"][name]["attributes"], event, "", found)
        for error in found:
            print(f"line {number} {name} {error}")
        errors += len(found)
    print(f"{events} events, {errors} errors")
    sys.exit(1 if errors or not events else 0)


def main():
    if len(sys.argv) != 3:
        stop("usage: validate.py CACHE EXTENSION < events.ndjson")
    if sys.argv[1] == "--check":
        return check(Path(sys.argv[2]))
    cache = Path(sys.argv[1])
    cache.mkdir(parents=True, exist_ok=True)
    done = subprocess.run([interpreter(cache), __file__, "--check", sys.argv[2]])
    return sys.exit(done.returncode)


if __name__ == "__main__":
    main()
