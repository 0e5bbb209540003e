"""A headless Chromium driven through its DevTools protocol over a pipe (--remote-debugging-pipe): JSON messages ended
by NUL on its file descriptors 3 and 4. Only Python's own library."""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PATIENCE = 120  # seconds for an answer; machines may be busy


def find():
    """The path of a Chromium, or None."""
    named = os.environ.get("PARPLAN_CHROMIUM")
    return next((path for path in map(shutil.which, [named] if named else NAMES) if path), None)


class Browser:
    def __init__(self, path):
        self.folder = tempfile.TemporaryDirectory(prefix="parplan-browser.")
        to_browser, self.outgoing = os.pipe()
        self.incoming, from_browser = os.pipe()
        # a high number first, so that neither end is overwritten by the other
        ends = [os.dup2(end, 200 + place) for place, end in enumerate((to_browser, from_browser))]

        def give_ends():
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        self.process = subprocess.Popen(
            [path, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-extensions", "--disable-background-networking", "--hide-scrollbars", "--remote-debugging-pipe",
             f"--user-data-dir={self.folder.name}", "--host-resolver-rules=MAP * ~NOTFOUND", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False,
            preexec_fn=give_ends)
        for end in (to_browser, from_browser, *ends):
            os.close(end)
        self.buffer = b""
        self.number = 0
        self.session = None
        self.events = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def close(self):
        try:
            self.session = None
            self.call("Browser.close")
            self.process.wait(30)
        finally:
            self.process.kill()
            self.process.wait()
            os.close(self.outgoing)
            os.close(self.incoming)
            self.folder.cleanup()

    def _receive(self, deadline):
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.incoming], [], [], max(0, deadline - time.monotonic()))
            data = os.read(self.incoming, 1 << 20) if ready else b""
            if not data:
                raise TimeoutError("the browser says nothing")
            self.buffer += data
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.outgoing, data):]
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self._receive(deadline)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def wait_for(self, event):
        deadline = time.monotonic() + PATIENCE
        while not any(seen.get("method") == event for seen in self.events):
            self.events.append(self._receive(deadline))

    def open(self, path, width=1300, height=1000):
        """Loads a file; returns once two frames were drawn."""
        self.events = []
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Page.navigate", url=f"file://{os.path.abspath(path)}")
        self.wait_for("Page.loadEventFired")
        self.frames()

    def ask(self, expression):
        """The value of an expression of JavaScript, awaited if it is a promise."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def frames(self):
        self.ask("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")

    def mouse(self, kind, x, y, **more):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)
        self.frames()

    def touch(self, kind, *points):
        self.call("Input.dispatchTouchEvent", type=kind,
                  touchPoints=[{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)])
        self.frames()

    def key(self, key, text=None, modifiers=0, frames=True):
        codes = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Enter": 13, "Home": 36,
                 "Escape": 27}
        common = {"key": key, "modifiers": modifiers, "windowsVirtualKeyCode": codes.get(key, 0)}
        if text:
            common["text"] = text
        self.call("Input.dispatchKeyEvent", type="keyDown", **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)
        if frames:
            self.frames()

    def scheme(self, name):
        """"light" or "dark", as the reader's system would ask for."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])
        self.frames()

    def shot(self, path=None):
        """The page as PNG; also into a file."""
        data = base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
        if path:
            with open(path, "wb") as file:
                file.write(data)
        return data

    def paper(self, path=None):
        """The page as PDF."""
        data = base64.b64decode(self.call("Page.printToPDF", printBackground=True, landscape=True)["data"])
        if path:
            with open(path, "wb") as file:
                file.write(data)
        return data

    def problems(self):
        """What the page has said or asked of the network since it was opened."""
        found = []
        for event in self.events:
            method, parameters = event.get("method"), event.get("params", {})
            if method in ("Runtime.exceptionThrown", "Log.entryAdded"):
                found.append(f"{method}: {parameters}")
            elif method == "Runtime.consoleAPICalled":
                found.append(f"console: {parameters['type']} {parameters['args']}")
            elif method == "Network.requestWillBeSent":
                url = parameters["request"]["url"]
                if not url.startswith(("file://", "data:")) or parameters.get("type") != "Document" and url != "data:,":
                    found.append(f"network: {url}")
        return found
