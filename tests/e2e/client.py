"""A plain HTTP client: it adds no headers, redirects or encodings of its own."""

import http.client
import json
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import quote, urlsplit

SECONDS_MAX = 60


@dataclass
class Request:
    method: str
    path: str
    query: str
    headers: list
    body: bytes


@dataclass
class Answer:
    status: int
    headers: list
    body: bytes

    def is_of_gateway(self):
        """Whether the gateway itself sent this response."""
        return any(name.lower() == "x-amzn-errortype" for name, _ in self.headers)


class Client:
    """An API at a URL, with a key if it needs one. `host` is its name if the URL has only an address."""

    def __init__(self, url, api_key=None, host=None):
        self.url = url.rstrip("/")
        self.api_key = api_key
        self.host = host
        self.target = urlsplit(self.url)

    def send(self, request):
        """Sends a request for a path of the API."""
        target = self.target.path + request.path + (f"?{request.query}" if request.query else "")
        return self.send_for(target, request)

    def follow(self, reference):
        """Follows a reference in a response, as a client does: an absolute path on the same server."""
        return self.send_for(reference, Request("GET", "", "", [], b""))

    def send_for(self, target, request):
        connect = http.client.HTTPSConnection if self.target.scheme == "https" else http.client.HTTPConnection
        connection = connect(self.target.netloc, timeout=SECONDS_MAX)
        connection.putrequest(request.method, target, skip_host=bool(self.host), skip_accept_encoding=True)
        if self.host:
            connection.putheader("host", self.host)
        for name, value in request.headers:
            connection.putheader(name, value.encode())
        if self.api_key:
            connection.putheader("x-api-key", self.api_key)
        if request.body or request.method in ("POST", "PUT", "PATCH"):
            connection.putheader("content-length", str(len(request.body)))
        connection.endheaders(request.body or None)
        answer = connection.getresponse()
        result = Answer(answer.status, answer.getheaders(), answer.read())
        connection.close()
        return result

    def get(self, path, query=""):
        answer = self.send(Request("GET", path, query, [], b""))
        if answer.status != 200:
            raise RuntimeError(f"GET {path} answered {answer.status}: {answer.body[:500]!r}")
        return json.loads(answer.body, parse_float=Decimal)

    def items(self):
        """All items, over all pages."""
        items, cursor = [], None
        while True:
            page = self.get("/items", "limit=100" + (f"&cursor={quote(cursor)}" if cursor else ""))
            items += page["items"]
            cursor = page.get("next")
            if not cursor:
                return items

    def clear(self):
        """Deletes all items."""
        for item in self.items():
            self.send(Request("DELETE", f"/items/{quote(item['id'], safe='')}", "", [], b""))
