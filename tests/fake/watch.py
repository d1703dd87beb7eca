# SPDX-License-Identifier: Apache-2.0
"""GET …?watch=true: changes as they happen, one JSON document a line."""
import asyncio

import errors

BOOKMARK_SECONDS = 5  # the real server sends one a minute


class Watch:
    """Serves one watch until the client goes, the time is up, or its history is lost."""

    def __init__(self, server, request, kind, namespace, matches):
        self.server = server
        self.store = server.store
        self.request = request
        self.kind = kind
        self.namespace = namespace
        self.matches = matches
        self.queue = asyncio.Queue()
        self.stale = any(rule["action"] == "stale-watch" for rule in request.faults)

    async def serve(self):
        connection = self.request.connection
        query = self.request.query
        version = query.get("resourceVersion", "")
        timeout = float(query.get("timeoutSeconds") or 1800)
        deadline = asyncio.get_running_loop().time() + timeout
        bookmarks = query.get("allowWatchBookmarks") in ("true", "1")
        self.store.listeners.append(self.listener)
        self.server.watches.add(self)
        try:
            connection.start_stream(200, "application/json")
            try:
                await self.begin(version, query.get("sendInitialEvents") == "true")
                await self.follow(deadline, bookmarks)
            except errors.ApiError as error:
                await self.send("ERROR", error.body())
            connection.end_stream()
        finally:
            self.store.listeners.remove(self.listener)
            self.server.watches.discard(self)

    def listener(self, change):
        event = self.event_for(change)
        if event:
            self.queue.put_nowait(event)

    def event_for(self, change):
        """What this watch tells of a change: an object may enter or leave the selection by it."""
        if change.kind is not self.kind:
            return None
        if self.namespace and change.obj["metadata"].get("namespace") != self.namespace:
            return None
        is_in = change.type != "DELETED" and self.matches(change.obj)
        was_in = change.old is not None and self.matches(change.old)
        if is_in:
            return ("MODIFIED" if was_in else "ADDED"), change.obj
        return ("DELETED", change.obj) if was_in else None

    async def begin(self, version, initial_events):
        if any(rule["action"] == "410" for rule in self.request.faults):
            raise errors.expired(f"too old resource version: {version or 0} ({self.store.version})")
        if version in ("", "0"):
            for obj in self.store.all(self.kind, self.namespace):
                if self.matches(obj):
                    await self.send("ADDED", obj)
            if initial_events:
                await self.bookmark({"k8s.io/initial-events-end": "true"})
            return
        if not version.isdigit():
            raise errors.bad_request(f'invalid resource version "{version}"')
        if int(version) > self.store.version:
            raise errors.future_version(version, self.store.version)
        for change in self.store.since(int(version)):
            event = self.event_for(change)
            if event:
                await self.send(*event)

    async def follow(self, deadline, bookmarks):
        loop = asyncio.get_running_loop()
        while not self.request.connection.closed.is_set():
            left = deadline - loop.time()
            if left <= 0:
                if bookmarks:
                    await self.bookmark()
                return
            try:
                event = await asyncio.wait_for(self.queue.get(), min(left, BOOKMARK_SECONDS))
            except asyncio.TimeoutError:
                if bookmarks and deadline - loop.time() > 0:
                    await self.bookmark()
                continue
            await self.send(*event)

    async def bookmark(self, annotations=None):
        meta = {"resourceVersion": str(self.store.version), "creationTimestamp": None}
        if annotations:
            meta["annotations"] = annotations
        await self.send("BOOKMARK", {"kind": self.kind.kind, "apiVersion": self.kind.api_version, "metadata": meta})

    async def send(self, event_type, obj):
        if not self.stale:
            obj = self.server.present(self.request, self.kind, obj) if event_type != "ERROR" else obj
            await self.request.connection.write_chunk(errors.encode({"type": event_type, "object": obj}))
