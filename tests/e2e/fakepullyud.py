"""A stand-in for pullyud on the control socket: answers as told and remembers what it was asked."""

import contextlib
import json
import os
import socket
import threading


class Pullyud:
    def __init__(self, path):
        self.asked = []
        self.known = {}
        self.spf = "pass"
        self.silent = False
        self.path = path
        self.connections = []
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(path)
        os.chmod(path, 0o666)
        self.listener.listen(100)
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            connection.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            for line in connection.makefile("rb"):
                request = json.loads(line)
                self.asked.append(request)
                if self.silent:
                    continue
                connection.sendall(json.dumps(self._reply(request)).encode() + b"\n")
        except (OSError, ValueError):
            pass

    def _reply(self, request):
        if request["op"] == "ask":
            users = {u: "correspondent" for u in request["users"] if self.known.get(u)}
            return {"rc": "ok", "known": users}
        if request["op"] == "spf":
            return {"rc": "ok", "result": self.spf}
        return {"rc": "ok"}

    def of(self, op):
        return [request for request in self.asked if request["op"] == op]
