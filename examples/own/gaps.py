#!/usr/bin/env python3
"""A checker for fallacy run --checker ./gaps.py: numbers given out without gaps.

It reads the history, a JSON object a line, and prints its finding.
"""
import json
import sys

ops = [json.loads(line) for line in sys.stdin]
calls = [op for op in ops if op["f"] == "generate" and op["type"] != "invoke"]
given = {op["value"]: op["index"] for op in calls if op["type"] == "ok"}
doubts = sum(op["type"] == "info" for op in calls)
missing = [n for n in range(1, max(given, default=0)) if n not in given]
finding = {"verdict": "valid" if given else "unknown", "examined": len(calls)}
if not given:
    finding["reason"] = "no number was given out"
if len(missing) > doubts:
    finding["verdict"] = "invalid"
    finding["anomalies"] = [{
        "name": "missing number",
        "why": f"{missing[doubts]} and {len(missing) - 1} more were never given out, and {doubts} calls are in doubt",
        "ops": [given[max(given)]],
    }]
print(json.dumps(finding))
