# SPDX-License-Identifier: MIT
"""A page in headless Chromium, driven through its DevTools pipe. Needs nothing but Python."""
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

KEYS = {"Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Enter": 13, "Tab": 9}


def find():
    """The browser's path, or None."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def high(fd):
    """The same file at a number that cannot be 3 or 4."""
    new = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(fd)
    return new


class Browser:
    """Chromium with one page. `requests` are all URLs that it asked for, `errors` what it complained of."""

    def __init__(self, width=1280, height=1000, dark=False, limit=60):
        self.limit, self.number, self.pending = limit, 0, b""
        self.requests, self.errors = [], []
        self.profile = tempfile.mkdtemp(prefix="weir-browser-")
        theirs_in, self.out = map(high, os.pipe())
        self.into, theirs_out = map(high, os.pipe())

        def place():
            os.dup2(theirs_in, 3)
            os.dup2(theirs_out, 4)

        command = [find(), "--headless=new", "--remote-debugging-pipe", f"--user-data-dir={self.profile}", "--no-sandbox",
                   "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
                   "--disable-component-update", "--hide-scrollbars", "about:blank"]
        self.process = subprocess.Popen(command, pass_fds=(3, 4), preexec_fn=place, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
                                        env={**os.environ, "TZ": "UTC", "HOME": self.profile})
        os.close(theirs_in)
        os.close(theirs_out)
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Runtime", "Log", "Network", "Page"):
            self.call(domain + ".enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.out)
        os.close(self.into)
        shutil.rmtree(self.profile, ignore_errors=True)

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + self.limit
        while True:
            answer = self.read(end)
            if answer.get("id") == self.number:
                assert "error" not in answer, (method, answer)
                return answer["result"]

    def read(self, end):
        while b"\0" not in self.pending:
            if not select.select([self.into], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError("the browser does not answer")
            more = os.read(self.into, 1 << 20)
            assert more, "the browser ended"
            self.pending += more
        line, self.pending = self.pending.split(b"\0", 1)
        message = json.loads(line)
        self.note(message)
        return message

    def note(self, message):
        method, params = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(params["exceptionDetails"])[:600])
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.errors.append(params["entry"]["text"])
        elif method == "Runtime.consoleAPICalled":
            self.errors.append(f"console.{params['type']}: {params['args']}")

    def open(self, path):
        url = "file://" + os.path.abspath(path)
        answer = self.call("Page.navigate", url=url)
        assert not answer.get("errorText"), answer
        end = time.monotonic() + self.limit
        # Not the load event: it may be that of the page before.
        while not self.eval(f"document.readyState === 'complete' && location.href.startsWith({json.dumps(url)})"):
            assert time.monotonic() < end, f"{url} does not load"
            time.sleep(0.02)

    def eval(self, expression):
        """The value of an expression; what it throws is a failure."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, (expression, answer["exceptionDetails"])
        return answer["result"].get("value")

    def until(self, expression, wanted, seconds=20):
        """Whether the expression comes to have that value: navigation within a page ends some time later."""
        end = time.monotonic() + seconds
        while self.eval(expression) != wanted:
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True

    def key(self, key):
        common = {"key": key, "windowsVirtualKeyCode": KEYS.get(key, ord(key.upper()[0]))}
        text = {"text": key} if len(key) == 1 else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", **common, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def drag(self, x1, y1, x2, y2):
        button = {"button": "left", "buttons": 1, "clickCount": 1}
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x1, y=y1)
        self.call("Input.dispatchMouseEvent", type="mousePressed", x=x1, y=y1, **button)
        for i in range(1, 5):
            self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x1 + (x2 - x1) * i / 4, y=y1 + (y2 - y1) * i / 4,
                      button="left", buttons=1)
        self.call("Input.dispatchMouseEvent", type="mouseReleased", x=x2, y=y2, **button)

    def screenshot(self, path, **clip):
        import base64
        more = {"clip": {**clip, "scale": 1}} if clip else {}
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("Page.captureScreenshot", format="png", **more)["data"]))
