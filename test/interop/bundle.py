#!/usr/bin/env python3
"""A second implementation of the offline verifier, in another language and from the documents alone.

Reads one JSON question per line from standard input, {bundle, trust, keys, expect_digest, expect_commit, at} or a
question of decision.py, and writes one JSON answer per line: {"exit", "step", "code"}. Standard library only. The
counting of votes is written from docs/spec/engine.md and shares nothing with src/core; only people merged while a
request runs are not known here (such a bundle answers step 6).
"""

import json
import re
import sys

from decision import (
    Refused,
    answer_decision,
    canonical_or_none,
    check_decision,
    ed25519_verifies,
    fits_members,
    has_form,
    is_integer,
    pack64url,
    path_root,
    read_entry,
    read_key,
    read_schema,
    strict_json,
    unpack64,
)
from ledger import canonical, leaf_hash, sha256
import base64


class Failed(Exception):
    def __init__(self, step, code, detail=""):
        super().__init__(f"{step} {code} {detail}")
        self.step, self.code, self.detail = step, code, detail


def must(condition, step, code, detail=""):
    if not condition:
        raise Failed(step, code, detail)


# Notes and trust -------------------------------------------------------------------------------------------------------

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
KEY_NAME = re.compile(r"[^\s+]+")


def is_key_name(name):
    return KEY_NAME.fullmatch(name) is not None and not CONTROL.search(name)


def read_note(note):
    """(text, [(name, key id, signature)]) or None."""
    split = note.rfind("\n\n")
    text = note[: split + 1]
    if split < 1 or len(note) > 65536 or not note.endswith("\n") or CONTROL.search(text):
        return None
    lines, found = note[split + 2 : -1].split("\n"), []
    for line in lines:
        parts = line.split(" ")
        data = unpack64(parts[2]) if len(parts) == 3 else None
        if data is None or parts[0] != "\u2014" or not is_key_name(parts[1]) or len(data) <= 4:
            return None
        found.append((parts[1], data[:4], data[4:]))
    return (text, found) if len(found) <= 16 else None


def read_vkey(vkey):
    """(name, key id, type, key) or None."""
    name, _, rest = vkey.partition("+")
    key_id, _, encoded = rest.partition("+")
    data = unpack64(encoded)
    if data is None or len(data) != 33 or not is_key_name(name) or data[0] not in (1, 4):
        return None
    digest = sha256(name.encode() + b"\n" + data)[:4]
    return (name, digest, data[0], data[1:]) if digest.hex() == key_id else None


def signs(vkey, note) -> bool:
    key, parsed = read_vkey(vkey), read_note(note)
    if key is None or parsed is None:
        return False
    name, key_id, kind, public = key
    text, lines = parsed
    own = [signature for who, line_id, signature in lines if who == name and line_id == key_id]

    def good(signature):
        if kind == 1:
            return ed25519_verifies(public, text.encode(), signature)
        time = int.from_bytes(signature[:8], "big")
        message = f"cosignature/v1\ntime {time}\n{text}".encode()
        return len(signature) == 72 and time < 2**53 and ed25519_verifies(public, message, signature[8:])

    return bool(own) and all(good(signature) for signature in own)


def read_checkpoint(note):
    parsed = read_note(note)
    lines = parsed[0].split("\n") if parsed else []
    if len(lines) != 4 or lines[3] != "" or lines[0] == "" or not re.fullmatch(r"0|[1-9][0-9]{0,15}", lines[1]):
        return None
    root, size = unpack64(lines[2]), int(lines[1])
    if root is None or len(root) != 32 or size >= 2**53 or (size == 0 and root != sha256(b"")):
        return None
    return {"origin": lines[0], "size": size, "root": root}


def read_trust(text):
    """Logs, witnesses, groups and the quorum of a tlog-policy file; an unusable one is a ValueError."""
    trust = {"logs": [], "witnesses": {}, "groups": {}, "quorum": None}
    for line in text.split("\n"):
        words = re.split(r"[ \t]+", line.strip(" \t"))
        if words[0] == "" or words[0].startswith("#"):
            continue
        if words[0] == "log":
            trust["logs"].append(words[1])
        elif words[0] == "witness":
            trust["witnesses"][words[1]] = words[2]
        elif words[0] == "group":
            members = words[3:]
            needed = {"all": len(members), "any": 1}.get(words[2])
            trust["groups"][words[1]] = (int(words[2]) if needed is None else needed, members)
        elif words[0] == "quorum":
            trust["quorum"] = words[1]
        else:
            raise ValueError(f"{words[0]} is not a word of a trust file")
    return trust


def read_pins(text):
    people, attestations = {}, []
    for line in (text or "").split("\n"):
        words = line.split()
        if words and words[0] == "person":
            people.setdefault(words[1], []).append(words[2])
        elif words and words[0] == "attestation":
            attestations.append(words[1])
    return people, attestations


def quorum_met(trust, note) -> bool:
    cosigned = {name for name, vkey in trust["witnesses"].items() if signs(vkey, note)}

    def holds(name):
        if name in trust["groups"]:
            threshold, members = trust["groups"][name]
            return sum(holds(member) for member in members) >= threshold
        return name in cosigned

    return trust["quorum"] == "none" or holds(trust["quorum"])


# The bundle ------------------------------------------------------------------------------------------------------------

OUTCOMES = ("pending", "approved", "rejected", "cancelled", "expired", "superseded")
TOP = {"v", "type", "origin", "request", "payload", "policy", "entries", "openings", "checkpoint", "seen"}
REQUEST = read_schema("id:request org:org gate:code outcome:code")
CHECKPOINT = read_schema("origin:origin size:count root:base64")


def is_hash64(value) -> bool:
    data = unpack64(value)
    return data is not None and len(data) == 32


def is_proof(value) -> bool:
    return isinstance(value, list) and all(is_hash64(item) for item in value)


def is_exactly(value, names) -> bool:
    return isinstance(value, dict) and set(value) == set(names)


def is_opening(value) -> bool:
    if not isinstance(value, dict) or not is_integer(value.get("seq"), 0):
        return False
    path = value.get("path")
    if not isinstance(path, str) or not path.startswith("/") or len(path) > 512:
        return False
    if is_exactly(value, ("seq", "path", "erased")):
        return value["erased"] is True
    return is_exactly(value, ("seq", "path", "salt", "value")) and isinstance(value["salt"], str)


def is_seen(value) -> bool:
    return (
        is_exactly(value, ("checkpoint", "proof"))
        and isinstance(value["checkpoint"], dict)
        and fits_members(CHECKPOINT, value["checkpoint"])
        and is_hash64(value["checkpoint"]["root"])
        and is_proof(value["proof"])
    )


def is_envelope(value) -> bool:
    return (
        is_exactly(value, ("payloadType", "payload", "signatures"))
        and isinstance(value["payloadType"], str)
        and unpack64(value["payload"]) is not None
        and isinstance(value["signatures"], list)
        and 0 < len(value["signatures"]) <= 16
        and all(
            is_exactly(line, ("keyid", "sig")) and isinstance(line["keyid"], str) and isinstance(line["sig"], str)
            for line in value["signatures"]
        )
    )


def is_erased(payload) -> bool:
    return is_exactly(payload, ("erased",)) and payload["erased"] is True


def is_payload(value) -> bool:
    fits = isinstance(value, dict) and isinstance(value.get("salt"), str) and isinstance(value.get("gate"), str)
    return is_erased(value) or fits


def read_bundle(text):
    bundle = strict_json(text.removesuffix("\n")) if len(text.encode()) <= 5 * 1024 * 1024 else None
    fits = (
        bundle is not None
        and TOP <= set(bundle) <= TOP | {"displays", "dsse"}
        and bundle["v"] == 1
        and bundle["type"] == "countersign/bundle"
        and has_form("origin", bundle["origin"])
        and isinstance(bundle["request"], dict)
        and fits_members(REQUEST, bundle["request"])
        and bundle["request"]["outcome"] in OUTCOMES
        and is_payload(bundle["payload"])
        and isinstance(bundle["policy"], dict)
        and isinstance(bundle["entries"], list)
        and all(
            is_exactly(item, ("seq", "bytes", "proof"))
            and is_integer(item["seq"], 0)
            and isinstance(item["bytes"], str)
            and is_proof(item["proof"])
            for item in bundle["entries"]
        )
        and isinstance(bundle["openings"], list)
        and all(is_opening(item) for item in bundle["openings"])
        and isinstance(bundle["checkpoint"], str)
        and isinstance(bundle["seen"], list)
        and all(is_seen(item) for item in bundle["seen"])
        and ("dsse" not in bundle or is_envelope(bundle["dsse"]))
        and (
            "displays" not in bundle
            or isinstance(bundle["displays"], list)
            and all(
                is_exactly(item, ("digest", "document"))
                and has_form("digest", item["digest"])
                and isinstance(item["document"], dict)
                for item in bundle["displays"]
            )
        )
        and canonical_or_none(bundle["payload"]) is not None
        and canonical_or_none(bundle["policy"]) is not None
    )
    must(fits, 1, "unreadable")
    return bundle


def digest_of(document) -> str:
    return "sha256:" + sha256((canonical_or_none(document) or "").encode()).hex()


def read_entries(bundle, checkpoint):
    request, entries, before = bundle["request"], [], None
    for item in bundle["entries"]:
        entry = read_entry(item["bytes"])
        must(entry is not None and entry["seq"] == item["seq"], 3, "entry_invalid", "form")
        if entry["kind"] not in ("ledger.created", "ledger.key_added"):
            own = entry["request"] == request["id"]
            if own or not entry["kind"].startswith("factor."):
                must(entry["org"] == request["org"], 3, "entry_invalid", "organization")
                must(own or entry["kind"] == "policy.activated", 3, "entry_invalid", "request")
            if own:
                resource = entry["resource"]
                must(resource is None or resource["gate"] == request["gate"], 3, "entry_invalid", "gate")
        if before is not None:
            last, text = before
            must(entry["seq"] > last["seq"] and entry["at"] >= last["at"], 3, "entry_invalid", "order")
            if entry["seq"] == last["seq"] + 1:
                must(entry["prev"] == sha256(text.encode()).hex(), 3, "entry_invalid", "chain")
        path = [unpack64(step) for step in item["proof"]]
        included = entry["seq"] < checkpoint["size"] and checkpoint["root"] == path_root(
            leaf_hash(item["bytes"].encode()), entry["seq"], checkpoint["size"], path
        )
        must(included, 3, "not_included")
        entries.append(entry)
        before = (entry, item["bytes"])
    return entries


def at_path(data, path):
    value = data
    for token in path[1:].split("/"):
        if isinstance(value, list):
            value = value[int(token)] if re.fullmatch(r"0|[1-9]\d*", token) and int(token) < len(value) else None
        else:
            value = value.get(token.replace("~1", "/").replace("~0", "~")) if isinstance(value, dict) else None
    return value


def opens(entry, opening) -> bool:
    if entry is None:
        return False
    if opening.get("erased"):
        value = entry["data"].get(opening["path"][1:])
        return isinstance(value, str) and value.startswith("c1:")
    salt, value = unpack64(opening["salt"], url=True), canonical_or_none(opening["value"])
    if salt is None or len(salt) != 16 or value is None:
        return False
    commitment = "c1:" + sha256(b"countersign/commit/v1\n" + salt + value.encode()).hex()
    return at_path(entry["data"], opening["path"]) == commitment


def consistent(older_size, older_root, newer_size, newer_root, proof) -> bool:
    """By the recursive definition of RFC 6962: both roots are rebuilt from the proof."""
    if older_size > newer_size:
        return False
    if older_size == 0:
        return not proof and older_root == sha256(b"")
    if older_size == newer_size:
        return not proof and older_root == newer_root
    left = list(proof)

    def rebuild(size, width, whole):
        """(older, newer) roots of a subtree of `width` leaves of which the first `size` are old; takes from the end."""
        if size == width:
            node = older_root if whole else left.pop(0)
            return node, node
        split = 1 << ((width - 1).bit_length() - 1)
        if size <= split:
            older, newer = rebuild(size, split, whole)
            return older, sha256(b"\x01" + newer + left.pop(0))
        older, newer = rebuild(size - split, width - split, False)
        node = left.pop(0)
        return sha256(b"\x01" + node + older), sha256(b"\x01" + node + newer)

    try:
        older, newer = rebuild(older_size, newer_size, True)
    except IndexError:
        return False
    return not left and older == older_root and newer == newer_root


# Counting votes --------------------------------------------------------------------------------------------------------

RANK = {"session": 0, "mfa": 1, "signed": 2}


class Stage:
    def __init__(self, document, policy):
        read = document.get
        self.order = document["stage_order"]
        mode = (read("mode") or "all").lower()
        self.mode = "any-n" if mode == "quorum" else mode
        self.mode_value = read("mode_value")
        self.least = read("min_approvals", 1)
        self.abstain = read("abstain", "against" if self.mode == "percentage" else "neutral")
        self.veto = read("reject", "veto") == "veto"
        self.on_empty = read("on_empty", "block")
        self.group = read("parallel_group")
        self.on_breach = read("on_breach") or "notify"
        self.assurance = read("assurance", policy.get("assurance", "session"))
        self.reject_assurance = read("reject_assurance", "session")
        self.view_seconds = read("min_view_seconds")
        self.require_view = read("require_view", False)
        self.state = "waiting"
        self.seats, self.tasks, self.excluded, self.voters = [], {}, set(), set()
        self.decisions = 0

    def count(self, state):
        return sum(seat["state"] == state for seat in self.seats)

    def needed(self, seats=None, abstained=None):
        seats = len(self.seats) - self.count("removed") if seats is None else seats
        electorate = seats - self.count("abstained") if self.abstain == "neutral" else seats
        floor = max(1, self.least)
        if self.mode == "any-n":
            return max(self.mode_value or 1, floor)
        if self.mode == "all":
            return max(electorate, floor)
        share = 100 if self.mode_value is None else self.mode_value
        return max((share * electorate + 99) // 100, floor)

    def lost_required(self):
        return any(seat["required"] and seat["state"] not in ("open", "approved") for seat in self.seats)

    def is_met(self):
        waits = any(seat["required"] and seat["state"] != "approved" for seat in self.seats)
        return self.count("approved") >= self.needed() and not waits

    def is_feasible(self):
        return self.count("approved") + self.count("open") >= self.needed() and not self.lost_required()

    def further(self):
        fixed, reach = len(self.seats) - self.count("removed") - self.count("open"), self.count("open")
        for extra in range(reach + 1):
            if self.count("approved") + extra >= self.needed(fixed + extra):
                return extra
        return None


def can_share(stages) -> bool:
    """Each person approves in one stage of the group only: can every stage still find enough?"""
    bound = {}
    for place, stage in enumerate(stages):
        if stage.lost_required():
            return False
        for seat in stage.seats:
            if seat["required"] and seat["state"] == "open":
                if seat["holder"] in bound:
                    return False
                bound[seat["holder"]] = place
    slots = []
    for place, stage in enumerate(stages):
        extra = stage.further()
        if extra is None:
            return False
        free = {seat["holder"] for seat in stage.seats if seat["state"] == "open" and seat["holder"] not in bound}
        slots += [free] * max(0, extra - sum(where == place for where in bound.values()))
    taken = {}

    def place_in(slot, tried):
        for person in slots[slot] - tried:
            tried.add(person)
            if person not in taken or place_in(taken[person], tried):
                taken[person] = slot
                return True
        return False

    return all(place_in(slot, set()) for slot in range(len(slots)))


def instant(text):
    """Milliseconds of a time, for differences within a few hours."""
    days = sum((1461 * int(text[:4]) // 4, 31 * int(text[5:7]), int(text[8:10])))
    return ((days * 24 + int(text[11:13])) * 60 + int(text[14:16])) * 60000 + int(text[17:19]) * 1000 + int(text[20:23])


IN_A_STAGE = {
    *("request.resolved", "request.stage_started", "request.stage_skipped", "request.stage_escalated"),
    *("task.expired", "task.reassigned", "decision.recorded"),
}


class Replay:
    def __init__(self, policy, created):
        self.policy = policy
        self.stages = sorted((Stage(stage, policy) for stage in policy["stages"]), key=lambda stage: stage.order)
        self.created, self.status, self.ended, self.unsettled = created, "pending", None, False
        self.barred = {name for name in (created["actor"], created["data"]["requester"]) if name is not None}
        if not (created["actor"] or "").startswith("usr_"):
            self.barred |= {created["data"].get("on_behalf_of")}
        self.approved_by = {}
        self.groups = []
        for stage in self.stages:
            last = self.groups[-1][-1] if self.groups else None
            if last is not None and stage.group is not None and last.group == stage.group:
                self.groups[-1].append(stage)
            else:
                self.groups.append([stage])
        self.start_next()

    def need(self, condition, detail):
        must(condition, 6, "outcome_not_supported", detail)

    def start_next(self):
        for group in self.groups:
            states = {stage.state for stage in group}
            if states <= {"approved", "skipped"}:
                continue
            if states <= {"waiting", "resolving", "skipped"}:
                for stage in group:
                    stage.state = "resolving"
            return
        self.status = "approved"

    def fail(self, stage):
        stage.state, self.status = "rejected", "rejected"

    def settle(self):
        while self.status == "pending":
            running = [stage for stage in self.stages if stage.state == "open"]
            met = next((stage for stage in running if stage.is_met()), None)
            if met is not None:
                met.state = "approved"
                for seat in met.seats:
                    seat["state"] = "closed" if seat["state"] == "open" else seat["state"]
                continue
            lost = next((stage for stage in running if not stage.is_feasible()), None)
            if lost is not None:
                return self.fail(lost)
            if self.policy.get("forbid_repeat_approvers") and len(running) > 1 and not can_share(running):
                return self.fail(running[0])
            if not running:
                self.start_next()
            return None
        return None

    def stage_of(self, entry):
        return next((stage for stage in self.stages if stage.order == entry["data"].get("stage")), None)

    def read(self, entry):
        if self.unsettled and entry["kind"] != "request.resolved":
            self.unsettled = False
            self.settle()
        if entry["kind"] in IN_A_STAGE:
            stage, task = self.stage_of(entry), entry["data"].get("task")
            self.need(stage is not None, "no such stage")
            self.need(all(other is stage or task not in other.tasks for other in self.stages), "a task of another stage")
            self.need(self.status == "pending", "after the end")
        name = "on_" + entry["kind"].replace(".", "_")
        reader = getattr(self, name, None)
        if reader is not None:
            reader(entry, self.stage_of(entry), entry["data"])

    def on_request_created(self, entry, stage, data):
        self.need(False, "created twice")

    on_request_revised = on_decision_withdrawn = on_decision_voided = on_person_merged = on_request_created

    def on_request_resolved(self, entry, stage, data):
        if stage.state == "open":
            return self.on_freed(stage, data)
        self.need(stage.state == "resolving", "asked before its turn")
        stage.excluded |= {item["person"] for item in data["excluded"]}
        for item in data["tasks"]:
            self.need(item["kind"] in ("approver", "required", "observer"), "kind")
            task = {"holder": item["person"], "seat": None, "kind": item["kind"], "open": True, "late": False}
            if item["seat"] is not None:
                self.need(all(seat["id"] != item["seat"] for seat in stage.seats), "two people for one seat")
                seat = {"id": item["seat"], "holder": item["person"], "required": item["kind"] == "required"}
                stage.seats.append({**seat, "state": "open"})
                task["seat"] = stage.seats[-1]
            stage.tasks[item["task"]] = task
        return None

    def on_freed(self, stage, data):
        self.need(len(data["excluded"]) > 0, "nobody leaves")
        person, found = data["excluded"][0]["person"], data["tasks"][:1]
        seat_id = found[0]["seat"] if found else None
        for task in stage.tasks.values():
            fits = task["open"] and task["holder"] == person
            if fits and (seat_id is None or (task["seat"] or {}).get("id") == seat_id):
                break
        else:
            self.need(False, "somebody leaves who was not asked")
        task["open"] = False
        seat = task["seat"]
        if seat is not None and seat["state"] == "open":
            if found:
                seat["holder"] = found[0]["person"]
                seat["required"] = seat["required"] or found[0]["kind"] == "required"
            else:
                seat["state"] = "removed"
        if found:
            task = {"holder": found[0]["person"], "seat": seat, "kind": found[0]["kind"], "open": True, "late": False}
            stage.tasks[found[0]["task"]] = task
        self.unsettled = True

    def on_request_stage_started(self, entry, stage, data):
        self.need(stage is not None and stage.state == "resolving" and self.ended is None, "before its turn")
        as_said = (stage.mode, stage.needed(), len(stage.seats)) == (data["mode"], data["needed"], data["seats"])
        self.need(as_said, "other votes than the policy gives")
        stage.state = "open"

    def on_request_stage_skipped(self, entry, stage, data):
        self.need(stage is not None and stage.state == "resolving", "skipped before its turn")
        reason = data["reason_code"]
        self.need(reason in ("skip_if", "no_approvers"), "skipped for no known reason")
        self.need(reason == "skip_if" or stage.on_empty == "skip", "the policy does not skip")
        stage.state = "skipped"
        group = next(group for group in self.groups if stage in group)
        if all(other.state == "skipped" for other in group):
            self.start_next()

    def on_request_stage_escalated(self, entry, stage, data):
        self.need(stage is not None and stage.state == "open", "escalated though not open")
        for person in data["added"]:
            task = {"holder": person, "seat": None, "kind": "added", "open": True, "late": False}
            stage.tasks[f"added {len(stage.tasks)}"] = task

    def task_of(self, stage, entry, holder):
        """The task, or None when no entry said that there is one; tasks of people added are named when they act."""
        name = entry["data"]["task"]
        for other in self.stages:
            if name in other.tasks:
                return other, other.tasks[name]
        for key, task in stage.tasks.items() if stage is not None else ():
            if key.startswith("added ") and task["open"] and task["holder"] == holder:
                del stage.tasks[key]
                stage.tasks[name] = task
                return stage, task
        return None

    def on_task_expired(self, entry, stage, data):
        found = self.task_of(stage, entry, data.get("from"))
        if found is None or self.status != "pending":
            return
        stage, task = found
        if not task["open"] or stage.state != "open" or task["kind"] == "observer":
            return
        task["late"] = True
        waiting = [seat for seat in stage.seats if seat["state"] == "open"]
        wholly = all(any(t["seat"] is seat and t["late"] and t["open"] for t in stage.tasks.values()) for seat in waiting)
        if stage.on_breach == "auto_reject" and wholly:
            self.fail(stage)
        if stage.on_breach == "auto_approve" and wholly:
            for seat in waiting:
                seat["state"] = "approved"
                stage.decisions += 1
            for other in stage.tasks.values():
                if other["seat"] in waiting:
                    other["open"] = False
            self.settle()

    def on_task_reassigned(self, entry, stage, data):
        self.need(data.get("new_task") is not None, "no new task")
        found = self.task_of(stage, entry, data["from"])
        if found is None:
            return
        place, task = found
        self.need(self.status == "pending" and task["open"], "a closed task changes hands")
        taking = any(other["holder"] == data["to"] for other in place.tasks.values()) or data["to"] in place.voters
        self.need(not taking, "takes part already")
        if task["kind"] != "observer":
            self.need(self.bar(place, data["to"]) is None, "barred")
        task["open"] = False
        place.tasks[data["new_task"]] = {**task, "holder": data["to"], "open": True, "late": False}
        if task["seat"] is not None:
            task["seat"]["holder"] = data["to"]

    def bar(self, stage, person):
        if self.policy.get("forbid_self_approval") and person in self.barred:
            return "requester"
        if self.policy.get("forbid_repeat_approvers"):
            group = next(group for group in self.groups if stage in group)
            earlier = {other.order for other in self.stages if other.order < group[0].order}
            beside = {other.order for other in group if other is not stage}
            if self.approved_by.get(person, set()) & (earlier | beside):
                return "repeat"
        return None

    def on_decision_recorded(self, entry, stage, data):
        self.need(stage is not None and stage.state == "open", "not open")
        same = data["revision"] == 1 and data["policy"] == self.created["data"]["policy"]
        self.need(same and entry["resource"] == self.created["resource"], "another revision, policy or payload")
        person, override = entry["actor"], data.get("override") is True
        self.need(person not in stage.excluded, "excluded")
        found = self.task_of(stage, entry, data["on_behalf_of"] if override else person)
        if found is None:
            return
        place, task = found
        self.need(place is stage, "a task of another stage")
        action = data["decision"]
        self.need(action in ("approve", "reject", "abstain") and data["assurance"] in RANK, "no such decision")
        self.need(person is not None and person.startswith("usr_"), "machines cannot decide")
        self.need(self.status == "pending" and task["open"], "closed")
        if task["holder"] != person:
            may = override and self.policy.get("admin_override") != "off" and stage.assurance != "signed"
            self.need(may, "not theirs")
        if task["kind"] != "observer":
            self.check_vote(stage, task, entry, data)
        overridden = task["holder"] != person
        if overridden and self.policy.get("admin_override") == "reason":
            self.need(data["reason"] is not None, "no reason")
        self.record(stage, task, person, action)

    def check_vote(self, stage, task, entry, data):
        person, action = entry["actor"], data["decision"]
        self.need(self.bar(stage, person) is None, "barred")
        self.need(person not in stage.voters, "decided already")
        if task["holder"] != person:
            own = any(seat["holder"] == person and seat["state"] == "open" for seat in stage.seats)
            self.need(not own, "holds a seat")
        seat = self.seat_for(stage, task, action)
        if action == "abstain":
            self.need(seat is None or not seat["required"], "required people do not abstain")
        if action == "approve":
            self.need(not self.dead_end(stage, seat, person), "a dead end")
        needed = stage.assurance
        if action == "reject" and RANK[stage.reject_assurance] <= RANK[needed]:
            needed = stage.reject_assurance
        shown = data["shown_at"]
        self.need(shown is not None or not (stage.require_view or stage.view_seconds), "not shown")
        self.need(RANK[data["assurance"]] >= RANK[needed], "not proven enough")
        if shown is not None and stage.view_seconds:
            self.need(instant(entry["at"]) - instant(shown) >= stage.view_seconds * 1000, "too fast")

    def dead_end(self, stage, seat, person):
        if not self.policy.get("forbid_repeat_approvers") or seat is None:
            return False
        was = [(other, other["state"]) for one in self.stages for other in one.seats]
        seat["state"] = "approved"
        self.give_up_beside(stage, person)
        running = [one for one in self.stages if one.state == "open"]
        dead = any(not one.is_feasible() for one in running) or not can_share(running)
        if not can_share(running) and all(one.is_feasible() for one in running):
            dead = any(one is not stage for one in running)
        for other, state in was:
            other["state"] = state
        return dead

    def give_up_beside(self, stage, person):
        group = next(group for group in self.groups if stage in group)
        for other in group:
            if other is stage or other.state != "open":
                continue
            seat = next((s for s in other.seats if s["holder"] == person and s["state"] == "open"), None)
            if seat is not None:
                seat["state"] = "removed"

    def seat_for(self, stage, task, action):
        if task["kind"] != "added":
            return task["seat"]
        if action == "abstain":
            return None
        late = [
            seat
            for seat in stage.seats
            if seat["state"] == "open"
            and any(t["seat"] is seat and t["open"] and t["late"] for t in stage.tasks.values())
        ]
        return min(late, key=lambda seat: not seat["required"], default=None)

    def record(self, stage, task, person, action):
        task["open"] = False
        stage.decisions += 1
        seat = None if task["kind"] == "observer" else self.seat_for_open(stage, task, action)
        if task["kind"] != "observer":
            stage.voters.add(person)
        if seat is None:
            return
        seat["state"] = {"approve": "approved", "reject": "rejected", "abstain": "abstained"}[action]
        for other in stage.tasks.values():
            if other["seat"] is seat or (other["kind"] == "added" and other["holder"] == person):
                other["open"] = False
        if action == "reject" and stage.veto:
            self.fail(stage)
            return
        if action == "approve":
            self.approved_by.setdefault(person, set()).add(stage.order)
            if self.policy.get("forbid_repeat_approvers"):
                self.give_up_beside(stage, person)
                group = next(group for group in self.groups if stage in group)
                for other in group:
                    if other is not stage and other.state == "open":
                        for beside in other.tasks.values():
                            if beside["kind"] != "observer" and beside["holder"] == person:
                                beside["open"] = False
        self.settle()

    def seat_for_open(self, stage, task, action):
        return self.seat_for(stage, task, action)

    def on_request_stage_completed(self, entry, stage, data):
        self.need(stage is not None and stage.state == data["outcome"], "completes otherwise")

    def on_request_approved(self, entry, stage, data):
        self.need(self.status == "approved" and self.ended is None, "no approval")
        decisions = sum(one.decisions for one in self.stages)
        stages = sum(one.state == "approved" for one in self.stages)
        self.need((decisions, stages) == (data["decisions"], data["stages"]), "other decisions are counted")

    def on_request_rejected(self, entry, stage, data):
        if self.status == "rejected":
            return
        waiting = [one for one in self.stages if one.state == "resolving"]
        reason = data.get("reason_code")
        blocked = reason == "no_approvers_resolved" and any(one.on_empty == "block" for one in waiting)
        stuck = reason == "quorum_unreachable" and bool(waiting)
        self.need((blocked or stuck) and self.status == "pending", "no rejection")
        self.status = "rejected"

    def ends(self, status):
        self.need(self.status == "pending", "ended already")
        self.status = self.ended = status

    def on_request_cancelled(self, entry, stage, data):
        self.ends("cancelled")

    def on_request_expired(self, entry, stage, data):
        self.ends("expired")

    def on_request_superseded(self, entry, stage, data):
        self.ends("superseded")


def check_outcome(bundle, own):
    replay = Replay(bundle["policy"], own[0])
    replay.need(own[0]["kind"] == "request.created", "the first entry does not create")
    for entry in own[1:]:
        replay.read(entry)
    if replay.unsettled:
        replay.settle()
    kinds = {entry["kind"] for entry in own}
    replay.need(replay.status == "pending" or f"request.{replay.status}" in kinds, "the end is missing")
    replay.need(replay.status == bundle["request"]["outcome"], "another outcome")


# Use and attestation ---------------------------------------------------------------------------------------------------


def check_grants(own, approved, at):
    grants, first_approval = {}, next((e for e in own if e["kind"] == "request.approved"), None)

    def need(condition, detail):
        must(condition, 7, "grant_invalid", detail)

    for entry in own:
        if not entry["kind"].startswith("grant."):
            continue
        name, data = entry["data"]["grant"], entry["data"]
        if entry["kind"] == "grant.issued":
            need(name not in grants, "issued twice")
            need(first_approval is not None and first_approval["seq"] < entry["seq"], "before the approval")
            grants[name] = {"from": entry["at"], "to": data["expires_at"], "most": data["uses"], "used": 0, "end": None}
            continue
        need(name in grants, "never issued")
        grant = grants[name]
        if entry["kind"] == "grant.used":
            grant["used"] += 1
            need(data["use"] == grant["used"], "uses are not counted")
            need(grant["most"] is None or grant["used"] <= grant["most"], "too many uses")
            need(grant["end"] is None, "used after its end")
            need(grant["to"] is None or entry["at"] <= grant["to"], "used after it expired")
        elif entry["kind"] == "grant.extended":
            need(grant["end"] is None, "extended after its end")
            grant["to"] = data["expires_at"]
        elif entry["kind"] in ("grant.revoked", "grant.expired") and grant["end"] is None:
            grant["end"] = entry["at"]
    need(approved or not grants, "without an approval")
    if at is None:
        return
    if not grants:
        need(first_approval is not None and first_approval["at"] <= at, "nothing was approved then")
        return
    need(
        any(
            grant["from"] <= at
            and (grant["to"] is None or at <= grant["to"])
            and (grant["end"] is None or at < grant["end"])
            for grant in grants.values()
        ),
        "no grant was in force",
    )


def in_context(payload, name):
    context = payload.get("context") if payload.get("gate") == "deploy" else None
    value = context.get(name) if isinstance(context, dict) else None
    return value if isinstance(value, str) else None


def commit_of(payload):
    """The member git_commit, or what the deploy gate puts into the context; of other gates neither."""
    if payload.get("gate") != "deploy":
        return None
    flat = payload.get("git_commit")
    return flat if isinstance(flat, str) else in_context(payload, "git_commit_hash")


def attestation_of(bundle, entries, own, checkpoint) -> str:
    request, policy = bundle["request"], bundle["policy"]
    payload = {} if is_erased(bundle["payload"]) else bundle["payload"]

    def text(name):
        return payload[name] if isinstance(payload.get(name), str) else None

    def texts(name):
        return [item for item in payload.get(name) or [] if isinstance(item, str)] if isinstance(payload.get(name), list) else []

    def bare(digest):
        return digest.removeprefix("sha256:")

    created = own[0]
    endings = [e for e in own if e["kind"].partition(".")[0] == "request" and e["kind"].partition(".")[2] in OUTCOMES]
    activation = next((e for e in entries if e["kind"] == "policy.activated"), None)
    watching = {
        task["task"] for e in own if e["kind"] == "request.resolved" for task in e["data"]["tasks"] if task["kind"] == "observer"
    }
    keys = {}
    for e in entries:
        if e["kind"] == "factor.enrolled":
            keys.setdefault(e["data"]["factor"], e["data"].get("spki"))
    approvals = []
    for e in own:
        data = e["data"]
        if e["kind"] != "decision.recorded" or data["decision"] != "approve" or data["task"] in watching:
            continue
        statement, key = data["statement"], unpack64(keys.get(data["factor"]), url=True)
        approvals.append(
            {
                "person": e["actor"],
                "method": data["method"] if data["method"] is not None else data["assurance"],
                "decidedAt": e["at"],
                "statementDigest": None if statement is None else digest_of(statement),
                "keyDigest": None if key is None else "sha256:" + sha256(key).hex(),
            }
        )
    issued = [e for e in own if e["kind"] == "grant.issued"][-1:]
    if request["gate"] == "deploy" and commit_of(payload) is not None:
        subject = [{"name": "commit", "digest": {"gitCommit": commit_of(payload)}}]
        subject += [{"name": image, "digest": {"sha256": bare(image)}} for image in texts("images")]
    elif request["gate"] == "certificate" and text("spki") is not None and texts("sans"):
        subject = [{"name": texts("sans")[0], "digest": {"sha256": bare(text("spki"))}}]
    else:
        name = text("artifact_id") if text("artifact_id") is not None else request["id"]
        subject = [{"name": name, "digest": {"sha256": bare(created["resource"]["digest"])}}]
    predicate = {
        "action": request["gate"],
        "environment": next(
            (value for value in (text("rack"), text("environment"), in_context(payload, "scope")) if value is not None), None
        ),
        "outcome": request["outcome"],
        "requestedAt": created["at"],
        "decidedAt": endings[-1]["at"] if endings else None,
        "policy": {
            "key": activation["data"]["key"] if activation else None,
            "version": activation["data"]["version"] if activation else None,
            "digest": activation["data"]["digest"] if activation else None,
            "twoPartyReview": policy.get("forbid_self_approval") is True,
        },
        "approvals": approvals,
        "grant": {
            "issuedAt": issued[0]["at"],
            "expiresAt": issued[0]["data"]["expires_at"],
            "uses": issued[0]["data"]["uses"],
        }
        if issued
        else None,
        "ledger": {
            "origin": checkpoint["origin"],
            "size": checkpoint["size"],
            "root": base64.b64encode(checkpoint["root"]).decode(),
            "entries": [e["seq"] for e in own],
        },
    }
    return canonical(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": subject,
            "predicateType": "urn:countersign:human-approval:v1",
            "predicate": predicate,
        }
    )


SPKI_ED25519 = bytes.fromhex("302a300506032b6570032100")


def check_attestation(bundle, entries, own, checkpoint, pinned):
    envelope = bundle.get("dsse")
    if envelope is None:
        return
    keys = [unpack64(key, url=True) for key in pinned]
    for e in entries:
        if e["kind"] == "ledger.key_added" and e["data"]["reason"] == "attestation":
            vkey = read_vkey(e["data"]["vkey"])
            if vkey is not None and vkey[2] == 1 and read_key(pack64url(SPKI_ED25519 + vkey[3])) is not None:
                keys.append(SPKI_ED25519 + vkey[3])
    kind, body = envelope["payloadType"], unpack64(envelope["payload"])
    message = f"DSSEv1 {len(kind.encode())} {kind} {len(body)} ".encode() + body

    def signed_by(key):
        own_lines = [line for line in envelope["signatures"] if line["keyid"] == sha256(key).hex()]
        return bool(own_lines) and all(
            ed25519_verifies(key[len(SPKI_ED25519) :], message, unpack64(line["sig"]) or b"") for line in own_lines
        )

    good = kind == "application/vnd.in-toto+json" and any(signed_by(key) for key in keys)
    must(good, 8, "attestation_mismatch", "not signed")
    try:
        said = body.decode("utf-8")
    except UnicodeDecodeError:
        said = None
    must(said == attestation_of(bundle, entries, own, checkpoint), 8, "attestation_mismatch", "says other things")


# The eight steps -------------------------------------------------------------------------------------------------------


def check_signed(bundle, entries, own, checkpoint, pins):
    nonces, touches = set(), {}
    for recorded in (entry for entry in own if entry["kind"] == "decision.recorded"):
        data = recorded["data"]
        if data["statement"] is None and data["assertion"] is None:
            must(data["assurance"] != "signed", 5, "decision_invalid", "not_signed")
            continue
        try:
            if data["statement"] is None:
                raise Refused("statement")
            statement, factor, spki, signature, count = check_decision(
                canonical(data["statement"]), recorded, entries, bundle["origin"], nonces, touches
            )
        except Refused as refused:
            raise Failed(5, "decision_invalid", str(refused)) from refused
        must(statement["policy"]["key"] == bundle["policy"].get("policy_key"), 5, "decision_invalid", "policy key")
        pinned = pins.get(statement["approver"])
        must(pinned is None or spki in pinned, 5, "decision_invalid", "pinned_key")
        seen, size = statement["checkpoint"], statement["checkpoint"]["size"]
        shown = next((item for item in bundle["seen"] if item["checkpoint"] == seen), None)
        saw = (
            seen["origin"] == checkpoint["origin"]
            and recorded["seq"] >= size
            and shown is not None
            and consistent(
                size, unpack64(seen["root"]), checkpoint["size"], checkpoint["root"], [unpack64(s) for s in shown["proof"]]
            )
        )
        must(saw, 5, "decision_invalid", "checkpoint_seen")
        nonces.add(statement["nonce"])
        touches[factor] = (signature, count)


def check_bundle(question):
    bundle = read_bundle(question["bundle"])
    trust, (people, attestations) = read_trust(question["trust"]), read_pins(question["keys"])
    note, origin = bundle["checkpoint"], bundle["origin"]
    checkpoint = read_checkpoint(note)
    logs = [vkey for vkey in trust["logs"] if (read_vkey(vkey) or ("",))[0] == origin]
    trusted = checkpoint is not None and checkpoint["origin"] == origin and any(signs(vkey, note) for vkey in logs)
    must(trusted, 2, "checkpoint_untrusted")
    must(quorum_met(trust, note), 2, "quorum_not_met")
    entries = read_entries(bundle, checkpoint)
    own = [entry for entry in entries if entry["request"] == bundle["request"]["id"]]
    created = next((entry for entry in own if entry["kind"] == "request.created"), None)
    must(created is not None, 3, "entry_invalid", "nothing creates the request")
    payload, resource = bundle["payload"], created["resource"]
    must(resource is not None, 4, "payload_mismatch")
    digest = resource["digest"] if is_erased(payload) else digest_of(payload)
    must(is_erased(payload) or payload["gate"] == bundle["request"]["gate"], 4, "payload_mismatch", "gate")
    must(all(e["resource"] is None or e["resource"]["digest"] == digest for e in own), 4, "payload_mismatch")
    must(all(digest_of(item["document"]) == item["digest"] for item in bundle.get("displays", [])), 4, "payload_mismatch")
    policy = digest_of(bundle["policy"])
    must(created["data"]["policy"] == policy, 4, "policy_mismatch")
    activation = next(
        (
            e
            for e in entries
            if e["kind"] == "policy.activated" and e["data"]["digest"] == policy and e["seq"] < created["seq"]
        ),
        None,
    )
    must(activation is not None, 4, "policy_mismatch", "never activated")
    must(activation["data"]["key"] == bundle["policy"].get("policy_key"), 4, "policy_mismatch", "another key")
    by_seq = {entry["seq"]: entry for entry in entries}
    must(all(opens(by_seq.get(item["seq"]), item) for item in bundle["openings"]), 4, "opening_mismatch")
    check_signed(bundle, entries, own, checkpoint, people)
    try:
        check_outcome(bundle, own)
    except (KeyError, TypeError, AttributeError) as error:
        raise Failed(6, "outcome_not_supported", f"the policy cannot be read: {error!r}") from error
    check_grants(own, bundle["request"]["outcome"] == "approved", question["at"])
    expected = question["expect_digest"]
    must(expected is None or "sha256:" + expected.removeprefix("sha256:") == resource["digest"], 7, "not_for_this")
    commit = question["expect_commit"]
    must(commit is None or commit_of(payload) == commit, 7, "not_for_this")
    check_attestation(bundle, entries, own, checkpoint, attestations)


def answer_bundle(question):
    try:
        check_bundle(question)
    except Failed as failed:
        return {"exit": 2 if failed.step == 1 else 1, "step": failed.step, "code": failed.code, "detail": failed.detail}
    return {"exit": 0, "step": None, "code": None}


if __name__ == "__main__":
    sys.setrecursionlimit(20_000)
    for question_line in sys.stdin:
        one = json.loads(question_line)
        print(json.dumps(answer_bundle(one) if "bundle" in one else answer_decision(one)))
