"""
Imports Aider once, and forks an agent from it whenever one is asked for.

Run by Aider's own interpreter, in place of the script that starts Aider: most of what an Aider costs
before its first request is the same imports, time after time. A forked agent shares them. What it
gets of its own is what a started one would get: its arguments, its whole environment, its working
folder, and its terminal, of which it becomes the session's leader.

Protocol: JSON lines on file descriptor 3, in both directions.

    in   {"id": 1, "argv": [...], "env": {...}, "cwd": "/x", "tty": "/dev/pts/5"}
    out  {"ready": true, "ms": 2100}   or   {"ready": false, "why": "..."}, once, at first
    out  {"id": 1, "pid": 4711}        or   {"id": 1, "error": "..."}
    out  {"id": 1, "code": 0}          or   {"id": 1, "signal": 9}

The end of the input ends it, and all its agents with it.
"""

import os
import sys

# Beside this file, which is first on the path until the script's own folder takes its place.
import aider_start

CHANNEL = 3


def die_with_parent(parent):
    """The kernel kills this process when its parent is gone, however that ended (Linux)."""
    import ctypes
    import signal

    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def open_sockets():
    """Sockets of this process, beside the channel."""
    names = []
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink("/proc/self/fd/" + name)
        except OSError:
            continue
        if target.startswith("socket:") and int(name) != CHANNEL:
            names.append(name)
    return names


def set_by_interpreter():
    """Variables that Python has added at its start, such as the locale it fell back to."""
    with open("/proc/self/environ", "rb") as file:
        given = {entry.split(b"=", 1)[0] for entry in file.read().split(b"\0")}
    return {k: v for k, v in os.environ.items() if os.fsencode(k) not in given}


def warm_up(script):
    """
    Imports all that Aider imports before its first request. Returns the variables that the imports
    set, what Aider lacks to be isolated, and why no agent can be forked; None when one can.
    """
    before = dict(os.environ)
    aider_start.use_path_of(script)
    # A pool of native threads would not live on in a forked process.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    os.environ["OMP_NUM_THREADS"] = "1"
    import aider.main

    # Of Aider's own; a version without it imports all at once.
    load_more = getattr(aider.main, "load_slow_imports", None)
    if load_more:
        load_more(swallow=False)
    import_more()
    missing = aider_start.isolate()
    try:
        remember_more()
    except Exception:
        pass  # Each agent works it out for itself, then.
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.pop(name, None)
        if name in before:
            os.environ[name] = before[name]
    changed = {k: v for k, v in os.environ.items() if before.get(k) != v}
    threads = os.listdir("/proc/self/task")
    if len(threads) > 1:
        return changed, missing, "%d threads are left after the imports" % len(threads)
    if open_sockets():
        return changed, missing, "a socket is left open after the imports"
    return changed, missing, None


def import_more():
    """What Aider imports only as it goes; none of it has to be there."""
    import importlib

    for name in LATE:
        try:
            importlib.import_module(name)
        except Exception:
            pass


LATE = (
    "importlib_resources.readers",
    "jiter",
    "httpcore",
    "openai.resources",
    "openai.resources.chat",
    "anthropic.resources",
    "litellm._service_logger",
    "litellm.litellm_core_utils.default_encoding",
    "litellm.litellm_core_utils.get_supported_openai_params",
    "litellm.litellm_core_utils.llm_request_utils",
    "litellm.litellm_core_utils.token_counter",
    "litellm.llms.anthropic.chat.handler",
    "litellm.llms.litellm_proxy.chat.transformation",
    "litellm.llms.openai.chat.gpt_audio_transformation",
    "litellm.llms.openai_like.dynamic_config",
    "litellm.llms.vertex_ai.vertex_ai_partner_models.anthropic.transformation",
    "litellm.types.litellm_core_utils.streaming_chunk_builder_utils",
    "prompt_toolkit.input.vt100",
    "prompt_toolkit.patch_stdout",
    "pygments.lexers.diff",
    "pygments.lexers.markup",
    "pygments.lexers.python",
    "pygments.lexers.special",
    "pygments.styles.default",
    "socksio",
    "tree_sitter_language_pack",
)


def remember_more():
    """What each Aider would work out anew before its first request, though it is the same for all."""
    import socket

    import json5
    import tiktoken

    def offline(*_):
        raise OSError("nothing is fetched while warming up")

    # A table that is on this machine is read now; one that is not is each agent's own to fetch.
    connect, socket.socket.connect = socket.socket.connect, offline
    try:
        for name in ("cl100k_base", "o200k_base"):
            try:
                tiktoken.get_encoding(name)
            except Exception:
                pass
    finally:
        socket.socket.connect = connect
    json5.loads = remembered(json5.loads)
    try:
        import importlib_resources

        text = importlib_resources.files("aider.resources").joinpath("model-metadata.json")
        json5.loads(text.read_text())
    except Exception:
        pass


def remembered(parse):
    """A parser that gives a fresh copy of what it made of the same text before."""
    import copy
    import functools

    once = functools.lru_cache(maxsize=4)(parse)

    @functools.wraps(parse)
    def loads(text, *args, **options):
        if args or options or not isinstance(text, str):
            return parse(text, *args, **options)
        return copy.deepcopy(once(text))

    return loads



def probe():
    """Whether a forked process can do what Aider does: threads, a process, an event loop, TLS."""
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(0 if probe_child() else 1)
        except BaseException:
            os._exit(1)
    import time

    until = time.monotonic() + 20
    while time.monotonic() < until:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return None if status == 0 else "a forked process cannot do what Aider does"
        time.sleep(0.005)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    return "a forked process hangs"


def probe_child():
    import asyncio
    import ssl
    import subprocess
    import threading

    seen = []
    thread = threading.Thread(target=lambda: seen.append(1))
    thread.start()
    thread.join(10)
    ran = subprocess.run([sys.executable, "-S", "-c", ""], stdin=subprocess.DEVNULL).returncode
    context = ssl.create_default_context()

    async def nothing():
        await asyncio.sleep(0)
        return 1

    return seen == [1] and ran == 0 and context is not None and asyncio.run(nothing()) == 1


def set_modes(tty):
    """The modes that node-pty gives to a terminal whose process it starts itself."""
    import termios as t

    modes = t.tcgetattr(tty)
    modes[0] = t.ICRNL | t.IXON | t.IXANY | t.IMAXBEL | t.BRKINT
    modes[1] = t.OPOST | t.ONLCR
    modes[2] = t.CREAD | t.CS8 | t.HUPCL
    modes[3] = t.ICANON | t.ISIG | t.IEXTEN | t.ECHO | t.ECHOE | t.ECHOK | t.ECHOKE | t.ECHOCTL
    modes[4] = modes[5] = t.B38400
    modes[6][t.VEOL] = modes[6][t.VEOL2] = b"\xff"
    t.tcsetattr(tty, t.TCSANOW, modes)


def become_agent(request, own, changed, missing, told):
    """In the forked process: a new session with the terminal, and all that is the agent's own."""
    import fcntl
    import signal
    import termios

    os.setsid()
    tty = os.open(request["tty"], os.O_RDWR)
    fcntl.ioctl(tty, termios.TIOCSCTTY, 0)
    set_modes(tty)
    for fd in (0, 1, 2):
        os.dup2(tty, fd)
    if tty > 2:
        os.close(tty)
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(own)
    os.environ.update(request["env"])
    os.environ.update(changed)
    import time

    time.tzset()
    aider_start.enter(request["cwd"], missing)
    sys.orig_argv = [sys.executable, *request["argv"]]
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)
    os.close(CHANNEL)
    os.write(told, b"+")
    os.close(told)


class Server:
    def __init__(self):
        self.agents = {}
        # What the interpreter sets for itself, and what Aider's imports do.
        self.own = set_by_interpreter()
        self.changed = {}
        self.missing = []
        self.rest = b""

    def send(self, answer):
        import json

        data = json.dumps(answer).encode() + b"\n"
        while data:
            data = data[os.write(CHANNEL, data) :]

    def fork(self, request):
        """Returns in the parent, and with the request in the child."""
        hears, told = os.pipe()
        # Held open until the child has it too, so that the other end is never without one.
        tty = os.open(request["tty"], os.O_RDWR | os.O_NOCTTY)
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            os.close(hears)
            os.close(tty)
            try:
                die_with_parent(parent)
                become_agent(request, self.own, self.changed, self.missing, told)
            except BaseException as error:
                os.write(told, str(error).encode() or b"?")
                os._exit(127)
            return request
        os.close(told)
        answer = b""
        while chunk := os.read(hears, 4096):
            answer += chunk
        os.close(hears)
        os.close(tty)
        self.agents[pid] = request["id"]
        if answer == b"+":
            self.send({"id": request["id"], "pid": pid})
        else:
            self.send({"id": request["id"], "error": answer.decode() or "it ended at once"})
        return None

    def reap(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            number = self.agents.pop(pid, None)
            if number is None:
                continue
            if os.WIFSIGNALED(status):
                self.send({"id": number, "signal": os.WTERMSIG(status)})
            else:
                self.send({"id": number, "code": os.WEXITSTATUS(status)})

    def end(self):
        for pid in self.agents:
            try:
                os.killpg(pid, 9)
            except OSError:
                pass
        os._exit(0)

    def serve(self):
        """Serves until the input ends. Returns a request in the child that is to do it."""
        import json
        import select
        import signal

        wakes, woken = os.pipe()
        os.set_blocking(woken, False)
        os.set_blocking(wakes, False)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        # Only the end of the input ends it.
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        while True:
            ready, _, _ = select.select([CHANNEL, wakes], [], [])
            if wakes in ready:
                try:
                    os.read(wakes, 4096)
                except BlockingIOError:
                    pass
                self.reap()
            if CHANNEL not in ready:
                continue
            chunk = os.read(CHANNEL, 1 << 20)
            if not chunk:
                self.end()
            self.rest += chunk
            while b"\n" in self.rest:
                line, self.rest = self.rest.split(b"\n", 1)
                request = json.loads(line)
                try:
                    mine = self.fork(request)
                except OSError as error:
                    self.send({"id": request["id"], "error": str(error)})
                    continue
                if mine is not None:
                    os.close(wakes)
                    os.close(woken)
                    return mine


def main():
    import time

    begun = time.monotonic()
    script, parent = sys.argv[1], int(sys.argv[2])
    die_with_parent(parent)
    # Whatever was left open around us is none of an agent's.
    os.closerange(CHANNEL + 1, os.sysconf("SC_OPEN_MAX"))
    server = Server()
    try:
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    except OSError:
        pass
    try:
        server.changed, server.missing, why = warm_up(script)
    except BaseException as error:
        why = "Aider cannot be imported: %s: %s" % (type(error).__name__, error)
    import gc

    gc.collect()
    gc.freeze()
    why = why or probe()
    if why:
        server.send({"ready": False, "why": why})
        return 1
    try:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    except OSError:
        pass
    server.send({"ready": True, "ms": round((time.monotonic() - begun) * 1000)})
    request = server.serve()
    return aider_start.run_aider(request["argv"])


if __name__ == "__main__":
    sys.exit(main())
