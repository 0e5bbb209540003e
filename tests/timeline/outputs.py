#!/usr/bin/env python3
"""outputs.py SAMPLES: what SAMPLES writes, read by Python's own readers. Traces are strict JSON in which slices of a
thread neither overlap nor come late, arrows have both ends within their slices, and times add up to the timeline's;
pictures are well-formed XML; reports are balanced HTML that names nothing outside itself; gzip gives the same bytes."""
import collections
import gzip
import html.parser
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

VOID = {"meta", "link", "input", "br", "hr", "img"}
failures = []


def expect(what, truth):
    if not truth:
        failures.append(what)
        print(f"not so: {what}")


def refuse_constant(name):
    raise ValueError(name)


def read_number(text):
    """Numbers of three decimals are times, in microseconds: as whole nanoseconds."""
    return int(text.replace(".", "")) if re.fullmatch(r"-?\d+\.\d{3}", text) else float(text)


def read_json(text):
    return json.loads(text, parse_float=read_number, parse_constant=refuse_constant)


def check_nesting(name, events):
    """On a thread a slice begins when the one before has ended."""
    busy = collections.defaultdict(int)
    last = {}
    for event in events:
        if event["ph"] in "Xi" and event.get("s") != "g":
            thread = event["pid"], event["tid"]
            expect(f"{name}: no overlap at {event}", event["ts"] >= last.get(thread, 0))
            last[thread] = event["ts"] + event.get("dur", 0)
            busy[thread] += event.get("dur", 0)
            expect(f"{name}: a slice has a length", event["ph"] == "i" or event["dur"] > 0)
    return busy


def check_arrows(name, events, most):
    """Each arrow leaves one slice and reaches another, later in the file, by bind_id or by the pair s and f."""
    slices = collections.defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            slices[event["pid"], event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
    ends = collections.defaultdict(list)
    for event in events:
        if "bind_id" in event:
            ends[event["bind_id"]].append("out" if event.get("flow_out") else "in")
            expect(f"{name}: one direction {event}", ("flow_out" in event) != ("flow_in" in event))
        elif event["ph"] in "sf":
            ends[event["id"]].append("out" if event["ph"] == "s" else "in")
            inside = any(start <= event["ts"] < end for start, end in slices[event["pid"], event["tid"]])
            expect(f"{name}: within a slice {event}", inside)
    expect(f"{name}: arrows have two ends", all(sides == ["out", "in"] for sides in ends.values()))
    expect(f"{name}: {most} arrows: {len(ends)}", len(ends) == most)


def check_trace(folder, name, expected):
    text = (folder / f"{name}.trace.json").read_text(encoding="utf-8")
    trace = read_json(text)
    events = trace["traceEvents"]
    timed = [event for event in events if event["ph"] != "M"]
    stamps = re.findall(r'"(?:ts|dur)":([^,}]*)', text)
    expect(f"{name}: three decimals", all(re.fullmatch(r"\d+\.\d{3}", stamp) for stamp in stamps))
    expect(f"{name}: sorted", all(a["ts"] <= b["ts"] for a, b in zip(timed, timed[1:])))
    busy = check_nesting(name, timed)
    slices = sum(1 for event in timed if event["ph"] in "Xi")
    expect(f"{name}: {expected['slices']} slices: {slices}", slices == expected["slices"])
    difference = abs(1000 * sum(busy.values()) - sum(expected["busy"]))
    expect(f"{name}: times add up but for rounding: {difference} ps", difference <= 1000 * slices)
    names = collections.Counter(event["name"] for event in events if event["ph"] == "M")
    expect(f"{name}: processes", names["process_name"] == names["process_sort_index"] == expected["groups"])
    expect(f"{name}: threads", names["thread_name"] == names["thread_sort_index"] == expected["lanes"])
    check_arrows(name, timed, expected["arrows"])
    peak = max((value for event in timed if event["ph"] == "C" for value in event["args"].values()), default=0)
    expect(f"{name}: peak of the counters", peak == expected["peak"])
    with gzip.open(folder / f"{name}.trace.json.gz") as file:
        expect(f"{name}: the same from gzip", file.read().decode() == text)


def check_picture(folder, name, kind):
    path = folder / f"{name}.{kind}"
    text = path.read_text(encoding="utf-8")
    root = xml.etree.ElementTree.fromstring(text)
    expect(f"{path.name}: is a picture", root.tag == "{http://www.w3.org/2000/svg}svg")
    width, height = int(root.get("width")), int(root.get("height"))
    expect(f"{path.name}: whole", root.get("viewBox") == f"0 0 {width} {height}")
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        inside = 0 <= int(text.get("x")) <= width and 0 <= int(text.get("y")) <= height
        expect(f"{path.name}: within the picture: {text.text}", inside)


class Page(html.parser.HTMLParser):
    """Tags that are closed in the order they were opened; what could reach outside."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.faults, self.text, self.tags = [], [], [], collections.Counter()

    def handle_starttag(self, tag, attributes):
        self.tags[tag] += 1
        if tag not in VOID:
            self.open.append(tag)
        for key, value in attributes:
            if key in ("src", "href", "action") and not value.startswith("data:") or key.startswith("on"):
                self.faults.append(f"{tag} {key}={value}")

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}>")

    def handle_data(self, data):
        self.text.append(data)


def check_report(folder, name):
    text = (folder / f"{name}.html").read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    page.close()
    expect(f"{name}: balanced, nothing outside: {page.faults} {page.open}", not page.faults and not page.open)
    expect(f"{name}: two scripts", page.tags["script"] == 2)
    expect(f"{name}: no place left unfilled", "{{" not in text)
    data = re.search(r'id="data">(.*?)</script>', text, re.S).group(1)
    expect(f"{name}: no address", not re.search(r"//[a-z]", text.replace(data, "")))
    data = read_json(data)
    expect(f"{name}: its data", {"end", "sorts", "groups", "lanes", "names", "counters", "numbers"} <= data.keys())


def main():
    with tempfile.TemporaryDirectory(prefix="parplan-outputs.") as first, \
            tempfile.TemporaryDirectory(prefix="parplan-outputs.") as second:
        for folder in (first, second):
            subprocess.run([os.path.abspath(sys.argv[1]), folder], check=True)
        folder = pathlib.Path(first)
        for path in sorted(folder.iterdir()):
            expect(f"{path.name}: the same again", path.read_bytes() == (pathlib.Path(second) / path.name).read_bytes())
        names = [path.name.split(".")[0] for path in sorted(folder.glob("*.expected.json"))]
        expect("there are samples", len(names) >= 7)
        for name in names:
            if (folder / f"{name}.trace.json").exists():
                check_trace(folder, name, read_json((folder / f"{name}.expected.json").read_text()))
            check_picture(folder, name, "svg")
            check_picture(folder, name, "compute.svg")
            check_report(folder, name)
    print(f"{len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
