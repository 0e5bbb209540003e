#!/usr/bin/env python3
"""report.py SAMPLES [SHOTS]: opens what SAMPLES writes in a headless Chromium. A report loads without a word on the
console or to the network, holds exactly what its timeline holds, zooms and moves by wheel, keys, buttons, dragging and
pinching, tells what is under the pointer, follows the reader's colours, and prints. Exit 77 where there is no Chromium.
With a folder SHOTS, screenshots go there, to be looked at."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import browser as devtools  # noqa: E402

failures = []


def expect(what, truth):
    if not truth:
        failures.append(what)
        print(f"not so: {what}")


class Report:
    """A report in the browser."""

    def __init__(self, browser, folder, name, width=1300, height=1000):
        self.browser, self.folder, self.name = browser, folder, name
        self.expected = json.loads((folder / f"{name}.expected.json").read_text())
        browser.open(folder / f"{name}.html", width, height)

    def data(self):
        return self.browser.ask("({...document.getElementById('timeline').dataset})")

    def range(self):
        data = self.data()
        return float(data["from"]), float(data["to"])

    def span(self):
        start, stop = self.range()
        return stop - start

    def box(self, name="plot"):
        return self.browser.ask(f"(box => [box.x, box.y, box.width, box.height])"
                                f"(document.getElementById('{name}').getBoundingClientRect())")

    def at(self, share, row=1):
        """A point of the canvas: so far along the time, in the first row or below."""
        x, y, width, _ = self.box()
        label = int(self.data()["left"])
        return x + label + share * (width - label - 8), y + 34 + 8 + (row - 1) * 22

    def details(self):
        return self.browser.ask("[...document.querySelectorAll('#details > *')].flatMap(part => [...part.childNodes])"
                                ".map(part => part.textContent).filter(text => text).join(' ')")

    def check(self, what, truth):
        expect(f"{self.name}: {what}", truth)

    def check_silence(self):
        self.check(f"no word on the console: {self.browser.problems()}", not self.browser.problems())


def check_totals(report):
    data, expected = report.data(), report.expected
    for key in ("groups", "lanes", "slices", "arrows", "peak"):
        report.check(f"{key} is {expected[key]}: {data[key]}", int(data[key]) == expected[key])
    report.check("the work of all lanes", int(data["busy"]) == sum(expected["busy"]) or expected["end"] > 2 ** 53)
    rows = report.browser.ask("[...document.querySelectorAll('#lane-rows tr')].map(row => row.dataset.busy)")
    exact = [float(row) for row in rows] == [float(busy) for busy in expected["busy"]]
    report.check("the work of each lane", exact)
    report.check("the whole step is shown", report.range() == (0, float(max(1, expected["end"]))))


def check_zoom(report):
    browser, end = report.browser, report.expected["end"]
    x, y = report.at(0.25)
    browser.mouse("mouseWheel", x, y, deltaX=0, deltaY=-300)
    start, stop = report.range()
    report.check("the wheel zooms in", stop - start < 0.7 * end)
    report.check("around the pointer", abs(start + 0.25 * (stop - start) - 0.25 * end) < 0.002 * end)
    browser.mouse("mouseWheel", x, y, deltaX=80, deltaY=0)
    report.check("sideways it moves", report.range()[0] > start and abs(report.span() - (stop - start)) < 1e-6 * end)
    browser.mouse("mouseWheel", x, y, deltaX=0, deltaY=3000)
    browser.mouse("mouseWheel", x, y, deltaX=0, deltaY=3000)
    report.check("the wheel zooms out, not past the step", report.range() == (0, end))
    browser.ask("document.getElementById('plot').focus({preventScroll: true})")
    browser.key("+", "+")
    narrow = report.span()
    report.check("+ zooms in", narrow < 0.7 * end)
    browser.key("-", "-")
    report.check("- zooms out", report.span() > narrow)
    for _ in range(80):
        browser.key("+", "+", frames=False)
    browser.frames()
    report.check("no further than a nanosecond", 999 <= report.span() <= 1001)
    browser.key("0", "0")
    report.check("0 shows all", report.range() == (0, end))
    browser.ask("document.getElementById('zoom-in').click()")
    browser.frames()
    report.check("the button zooms in", abs(report.span() - end / 2) < 1e-6 * end)


def check_moves(report):
    browser, end = report.browser, report.expected["end"]
    browser.ask("scrollTo(0, 0)")
    start = report.range()[0]
    x, y = report.at(0.5)
    browser.mouse("mousePressed", x, y, button="left", buttons=1, clickCount=1)
    browser.mouse("mouseMoved", x - 100, y, button="left", buttons=1)
    browser.mouse("mouseReleased", x - 100, y, button="left", clickCount=1)
    report.check("dragging moves", report.range()[0] > start)
    moved = report.range()[0]
    browser.mouse("mouseMoved", x - 200, y)
    report.check("a pointer that is not held does not", report.range()[0] == moved)
    for count in (1, 2):
        browser.mouse("mousePressed", x, y, button="left", buttons=1, clickCount=count)
        browser.mouse("mouseReleased", x, y, button="left", clickCount=count)
    report.check("a double click shows all", report.range() == (0, end))
    browser.touch("touchStart", (x - 40, y), (x + 40, y))
    browser.touch("touchMove", (x - 160, y), (x + 40, y))
    browser.touch("touchMove", (x - 160, y), (x + 160, y))
    browser.touch("touchEnd")
    report.check("two fingers pinch", report.span() < 0.6 * end)
    browser.key("Home")
    over_x, over_y, width, height = report.box("overview")
    browser.ask("document.getElementById('zoom-in').click()")
    browser.mouse("mousePressed", over_x + 0.95 * width, over_y + height / 2, button="left", buttons=1, clickCount=1)
    browser.mouse("mouseReleased", over_x + 0.95 * width, over_y + height / 2, button="left", clickCount=1)
    report.check("the overview moves", report.range()[1] > 0.95 * end)
    browser.ask("document.getElementById('zoom-reset').click()")
    browser.frames()
    report.check("Fit shows all", report.range() == (0, end))


def check_details(report):
    browser = report.browser
    x, y = report.at(0.005)
    browser.mouse("mouseMoved", x, y)
    browser.ask("document.getElementById('plot').focus({preventScroll: true})")
    first = report.details()
    wanted = "F forward micro-batch 0 stage 0 takes 10.00 ms"
    report.check(f"the first slice is told: {first}", first.startswith(wanted))
    browser.key("ArrowRight")
    report.check(f"the next one: {report.details()}", "micro-batch 1" in report.details())
    browser.key("ArrowDown")
    report.check(f"the lane below: {report.details()}", "all-reduce" in report.details())
    browser.key("Enter")
    report.check("Enter zooms to it", report.span() < 0.1 * report.expected["end"])
    browser.key("0", "0")
    browser.mouse("mouseMoved", *report.at(0.15))
    wanted = "idle for 70.20 ms behind F 3 before B 0"
    report.check(f"idle is told: {report.details()}", report.details().startswith(wanted))
    browser.mouse("mouseMoved", *report.at(0.15, row=5))
    report.check(f"memory is told: {report.details()}", report.details().startswith("memory 12.0 GiB"))
    browser.mouse("mouseMoved", x, 5)
    report.check(f"else the step: {report.details()}", report.details().startswith("The step takes 368.6 ms"))


def check_switches(report):
    browser = report.browser
    before = browser.ask("document.getElementById('plot').toDataURL()")
    browser.ask("document.getElementById('critical').click()")
    browser.frames()
    report.check("the critical path is lit", browser.ask("document.getElementById('plot').toDataURL()") != before)
    browser.ask("document.getElementById('critical').click()")
    browser.frames()
    report.check("and put out", browser.ask("document.getElementById('plot').toDataURL()") == before)
    height = browser.ask("document.getElementById('spacer').offsetHeight")
    browser.ask("document.getElementById('lanes').click()")
    browser.frames()
    report.check("fewer lanes", browser.ask("document.getElementById('spacer').offsetHeight") < height)
    browser.ask("document.getElementById('lanes').click()")
    browser.frames()


def check_messages(report):
    """Messages are left out where they would cover everything, and drawn where one can tell them apart."""
    browser = report.browser
    report.check("none in a thicket", int(report.data()["messages"]) == 0)
    browser.mouse("mouseMoved", *report.at(0.5))
    browser.ask("document.getElementById('plot').focus({preventScroll: true})")
    for _ in range(6):
        browser.key("+", "+")
    report.check("some when zoomed in", int(report.data()["messages"]) > 0)
    browser.key("0", "0")


def check_colors(report, shots):
    browser = report.browser
    grounds = []
    for scheme in ("light", "dark"):
        browser.scheme(scheme)
        grounds.append(browser.ask("getComputedStyle(document.body).backgroundColor"))
        browser.shot(shots and shots / f"{report.name}-{scheme}.png")
    report.check(f"light and dark differ: {grounds}", grounds == ["rgb(255, 255, 255)", "rgb(20, 24, 29)"])
    browser.scheme("light")


def check_paper(report, shots):
    pdf = report.browser.paper(shots and shots / f"{report.name}.pdf")
    report.check("it prints", pdf.startswith(b"%PDF") and len(pdf) > 10000)
    report.check("and is as before", report.range() == (0, report.expected["end"]))


def check_pictures(browser, folder, name, shots):
    """Pictures are well-formed by Chromium's own reading, and drawn."""
    for kind in ("svg", "compute.svg"):
        for scheme in ("light", "dark") if name == "small" else ("light",):
            browser.open(folder / f"{name}.{kind}", 1700, 700)
            browser.scheme(scheme)
            expect(f"{name}.{kind}: is a picture", browser.ask("document.documentElement.nodeName") == "svg")
            expect(f"{name}.{kind}: no error", not browser.ask("!!document.querySelector('parsererror')"))
            expect(f"{name}.{kind}: silence: {browser.problems()}", not browser.problems())
            browser.shot(shots and shots / f"{name}-{kind}-{scheme}.png")
    browser.scheme("light")


def check_all(browser, folder, shots):
    for name in ("small", "large", "huge", "hostile", "empty", "instant", "longest"):
        report = Report(browser, folder, name)
        check_totals(report)
        report.check("its title is safe", browser.ask("document.title") != "broken")
        report.check("nothing breaks out", browser.ask("document.querySelectorAll('script').length") == 2)
        if name in ("small", "large"):
            check_zoom(report)
            check_moves(report)
            check_colors(report, shots)
            check_paper(report, shots)
        if name == "small":
            check_details(report)
            check_switches(report)
        if name == "large":
            check_messages(report)
            size = (folder / "large.html").stat().st_size
            report.check(f"at most 2 MB: {size}", size <= 2_000_000)
            report.check("every slice is there", report.data()["blocks"] == report.data()["slices"])
        if name == "huge":
            size = (folder / "huge.html").stat().st_size
            report.check(f"at most 2 MB, slices joined: {size}", size <= 2_000_000)
        browser.shot(shots and shots / f"{name}.png")
        report.check_silence()
        check_pictures(browser, folder, name, shots)


def main():
    path = devtools.find()
    if path is None:
        print(f"no Chromium ({', '.join(devtools.NAMES)}); the report was not opened")
        return 77
    shots = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
    if shots:
        shots.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="parplan-report.") as name:
        folder = pathlib.Path(name)
        subprocess.run([os.path.abspath(sys.argv[1]), name], check=True)
        browser = devtools.Browser(path)
        try:
            check_all(browser, folder, shots)
        finally:
            browser.close()
    print(f"{len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
