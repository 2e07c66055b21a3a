"""``kzoo serve``: answers as those of ``kzoo predict``, and one line for whatever else comes."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits
from starlette.types import Message, Receive, Scope, Send
from support.kinds import Command
from support.serving import Reply, Server, crowd, form_of, reply_of

import kzoo
from kzoo.cli import serve
from kzoo.pages.server.guard import Guard

JSON = {"Content-Type": "application/json"}
DIGITS = load_digits().images
ROWS: list[dict[str, Any]] = [
    {"age": 20 + index % 40, "city": ["Oslo", "Rome", "Lima"][index % 3], "note": f"n{index}"}
    for index in range(60)
]


@pytest.fixture(scope="module")
def server(trained: kzoo.Run) -> Iterator[Server]:
    """Serve the run on digits."""
    with Server(trained.path) as served:
        yield served


@pytest.fixture(scope="module")
def table_run(tmp_path_factory: pytest.TempPathFactory) -> kzoo.Run:
    """Return a run on a table with numbers, words, and missing values of both."""
    folder = tmp_path_factory.mktemp("table")
    rows = [{**row, "label": "yes" if row["age"] > 40 else "no"} for row in ROWS]
    rows[3]["age"], rows[4]["city"] = "", ""
    _write_csv(folder / "people.csv", rows)
    changes = {"fit.epochs": 2, "dataset.table.exclude": ["note"]}
    return kzoo.run(
        "softmax_regression",
        overrides={"dataset.name": str(folder / "people.csv"), **changes},
        out=folder,
        display="quiet",
    )


@pytest.fixture(scope="module")
def table_server(table_run: kzoo.Run) -> Iterator[Server]:
    """Serve the run on a table."""
    with Server(table_run.path) as served:
        yield served


def _write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _png(pixels: np.ndarray[Any, Any]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def _digit(index: int) -> bytes:
    return _png((DIGITS[index] * 15.9).astype(np.uint8))


def _blank(width: int, height: int) -> bytes:
    stream = io.BytesIO()
    Image.new("L", (width, height)).save(stream, "PNG", compress_level=9)
    return stream.getvalue()


def _is_like(received: Any, expected: list[dict[str, Any]]) -> None:
    """Compare answers: all but the last digits, which differ with how many are answered at once."""
    assert len(received) == len(expected)
    for one, other in zip(received, expected, strict=True):
        assert one["class"] == other["class"]
        assert one["probability"] == pytest.approx(other["probability"], abs=1e-6)
        assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-6)
        assert one.get("prepared") == other.get("prepared")
        assert one.get("columns") == other.get("columns")


def test_a_picture_is_answered_as_the_command_answers_it(
    server: Server, trained: kzoo.Run, tmp_path: Path
) -> None:
    """The reply to the bytes of a picture has what `kzoo predict --json` prints of its file."""
    path = tmp_path / "digit.png"
    path.write_bytes(_digit(3))
    reply = server.post(path.read_bytes(), "image/png")
    expected = kzoo.predict(trained, path)
    assert (reply.status, reply.tree["notices"]) == (200, list(expected.notices))
    assert reply.tree["model"] == "softmax_regression"
    _is_like(reply.tree["predictions"], expected.to_dicts())


def test_several_pictures_are_answered_in_order(server: Server, trained: kzoo.Run) -> None:
    """A form's files are answered in order by their own names, two of one name apart."""
    body, kind = form_of([("a.png", _digit(0)), ("a.png", _digit(1)), ("b.png", _digit(2))])
    reply = server.post(body, kind)
    answers = reply.tree["predictions"]
    assert [answer["input"] for answer in answers] == ["a.png", "a.png (2)", "b.png"]
    _, classes = kzoo.predict(trained, np.round(DIGITS[:3]))
    assert [answer["class"] for answer in answers] == classes


def test_a_broken_picture_is_named(server: Server) -> None:
    """One that cannot be read is refused by name, with the line that the command prints."""
    body, kind = form_of([("good.png", _digit(0)), ("bad.png", _digit(1)[:60])])
    reply = server.post(body, kind)
    assert reply.status == 422
    assert reply.error.startswith("bad.png: is no readable image (")
    assert "BytesIO" not in reply.error


def test_numbers_are_answered(server: Server, trained: kzoo.Run) -> None:
    """Nested lists are examples, or one example."""
    expected = kzoo.predict(trained, DIGITS[:2]).to_dicts()
    _is_like(server.post({"inputs": DIGITS[:2].tolist()}).tree["predictions"], expected)
    _is_like(server.post({"inputs": DIGITS[0].tolist()}).tree["predictions"], expected[:1])


def test_rows_are_answered_as_the_command_answers_a_table(
    table_server: Server, table_run: kzoo.Run, tmp_path: Path
) -> None:
    """Rows with words, gaps and a column of their own have the answers of the same table."""
    rows: list[dict[str, Any]] = [
        {"city": "Rome", "age": 61, "id": "007"},
        {"city": None, "age": 22.5, "id": "x"},
        {"city": "Oslo", "age": None, "id": None},
        {"city": "Paris", "age": "33", "id": "y"},
    ]
    _write_csv(tmp_path / "rows.csv", rows)
    expected = kzoo.predict(table_run, tmp_path / "rows.csv")
    reply = table_server.post({"rows": rows})
    assert reply.status == 200, reply.text
    _is_like(reply.tree["predictions"], expected.to_dicts())
    assert [answer["input"] for answer in reply.tree["predictions"]] == ["1", "2", "3", "4"]
    (notice,) = reply.tree["notices"]
    assert notice.startswith("rows: column 'city': 1 row has a word that no training row has")


@pytest.mark.parametrize(
    ("rows", "status", "said"),
    [
        ([{"age": 1}], 422, "rows: received no column 'city'; expected the columns that the model"),
        ([{"age": 1, "citty": "Rome"}], 422, "Did you mean 'citty'?"),
        ([{"age": 1, "city": "Rome"}, {"age": 1}], 422, "row 2: received no column 'city', which"),
        ([{"age": 1, "city": "a"}, {"age": 1, "city": "a", "b": 1}], 422, "a column 'b', which"),
        ([{"age": "old", "city": "Rome"}], 422, "row 1, column 'age': received 'old'; expected a"),
        ([{"age": [1], "city": "Rome"}], 400, 'row 1, column "age": received [1]; expected a text'),
        ([{"age": 1e300, "city": "Rome"}], 422, "row 1, column 'age': received 1e+300, infinite"),
        ([1], 400, "row 1: received 1; expected an object of columns"),
        ([], 400, "rows: received []; expected a list of one or more"),
        ([{}], 400, "row 1: received {}; expected an object of columns"),
    ],
)
def test_rows_that_the_model_does_not_take_are_refused(
    table_server: Server, rows: Any, status: int, said: str
) -> None:
    """Each is one line: where, what was received, what is expected."""
    reply = table_server.post({"rows": rows})
    assert (reply.status, said in reply.error) == (status, True), reply.text


def test_a_model_of_tables_takes_no_picture(table_server: Server) -> None:
    """What the model takes instead is said."""
    reply = table_server.post(_digit(0), "image/png")
    assert reply.status == 422
    assert "received a picture; expected 1 number and 1 category" in reply.error


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status", "said"),
    [
        ("GET", "/health", {}, None, 200, '"status":"ok"'),
        ("HEAD", "/health", {}, None, 200, ""),
        ("GET", "/", {}, None, 200, "<title>"),
        ("GET", "/nowhere", {}, None, 404, "expected one of /predict, /, /health, /openapi.json"),
        ("GET", "/predict/", {}, None, 404, "received the path"),
        ("GET", "/../../etc/passwd", {}, None, 404, "received the path"),
        ("GET", "/predict", {}, None, 405, "/predict: received GET; expected POST"),
        ("POST", "/health", {}, b"x" * 100, 405, "/health: received POST; expected GET"),
        ("OPTIONS", "/predict", {}, None, 405, "received OPTIONS"),
        ("POST", "/predict", {}, b"x", 415, "Content-Type: received no content type; expected one"),
        ("POST", "/predict", {"Content-Type": "text/plain"}, b"{}", 415, 'received "text/plain"'),
        ("POST", "/predict", {**JSON, "Content-Encoding": "gzip"}, b"x", 415, 'received "gzip"'),
        ("POST", "/predict", JSON, b"", 400, "the body: received nothing"),
        ("POST", "/predict", JSON, b"{", 400, "cannot be read: Expecting property name"),
        ("POST", "/predict", JSON, b"\xff{}", 400, "application/json: cannot be read"),
        ("POST", "/predict", JSON, b"[1]", 400, 'received [1]; expected {"rows"'),
        ("POST", "/predict", JSON, b'{"rows": [], "inputs": []}', 400, "json: received"),
        ("POST", "/predict", JSON, b'{"inputs": 3}', 400, "inputs: received 3; expected a list"),
        ("POST", "/predict", JSON, b'{"inputs": [NaN]}', 400, "received NaN; expected a finite"),
        ("POST", "/predict", JSON, b'{"inputs": [1e999]}', 400, "expected a finite number"),
        ("POST", "/predict", JSON, b"[" * 400 + b"]" * 400, 400, "nested more than 32 levels"),
        ("POST", "/predict", JSON, b"[" * 100_000, 400, "nested more than 32 levels"),
        ("POST", "/predict", JSON, b'{"inputs": [[1, 2], [3]]}', 422, "lists of unequal lengths"),
        ("POST", "/predict", JSON, b'{"inputs": [["a"]]}', 422, "expected numbers"),
        ("POST", "/predict", JSON, b'{"inputs": [[[1]]]}', 422, "(1, 1); expected (8, 8), as in"),
        ("POST", "/predict", JSON, b'{"rows": [{"a": 1}]}', 422, "rows: received rows of named"),
        ("POST", "/predict?as_is=maybe", JSON, b"{}", 400, 'as_is: received "maybe"; expected'),
        ("POST", "/predict?x=1", JSON, b"{}", 400, 'received "x"; expected as_is'),
        ("POST", "/predict", {"Content-Type": "image/png"}, b"no", 422, "picture: is no read"),
        ("POST", "/predict", {"Content-Type": "multipart/form-data"}, b"x", 400, "boundary"),
        ("GET", "/health", {"Host": "evil.example"}, None, 421, 'Host: received "evil.example"'),
        ("GET", "/health", {"Host": "[::1"}, None, 421, "Host: received"),
        ("GET", "/health", {"Host": "LOCALHOST:1"}, None, 200, "ok"),
        ("GET", "/health", {"Origin": "http://evil.example"}, None, 403, "Origin: received"),
        ("GET", "/health", {"Origin": "null"}, None, 403, "Origin: received"),
        ("GET", "/health", {"Origin": "http://localhost:8000"}, None, 200, "ok"),
    ],
)  # fmt: skip
def test_each_request_has_its_status_and_one_line(
    server: Server,
    trained: kzoo.Run,
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes | None,
    status: int,
    said: str,
) -> None:
    """Whatever comes is answered, says nothing of this computer, and is taken for what it is."""
    reply = server.ask(method, path, body, headers)
    assert (reply.status, said in (reply.text if status == 200 else reply.error)) == (status, True)
    _is_safe(reply, trained)
    assert reply.headers.get("allow") == ({"/predict": "POST", "/health": "GET, HEAD"}[path]
                                          if status == 405 else None)  # fmt: skip


def _is_safe(reply: Reply, run: kzoo.Run) -> None:
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]
    assert "server" not in reply.headers
    assert not any(name.lower().startswith("access-control") for name in reply.headers)
    assert str(run.path.parent) not in reply.text
    assert "Traceback" not in reply.text


def test_a_connection_takes_one_request_after_the_other(server: Server) -> None:
    """After an answer, and after a refusal whose body was read, it stays open."""
    connection = server.connect()
    for body, status in ((_digit(0), 200), (b"no picture", 422), (_digit(1), 200)):
        connection.request("POST", "/predict", body, {"Content-Type": "image/png"})
        reply = reply_of(connection)
        assert reply.status == status
        assert "connection" not in reply.headers
    connection.close()


def test_replies_are_as_openapi_says(server: Server, table_server: Server) -> None:
    """The description holds for requests and replies, refusals included."""
    row = {"age": 30, "city": None, "more": "x"}
    for served, good in (
        (server, {"inputs": DIGITS[:2].tolist()}),
        (table_server, {"rows": [row]}),
    ):
        description = served.ask("GET", "/openapi.json").tree
        predict = description["paths"]["/predict"]["post"]
        taken = predict["requestBody"]["content"]["application/json"]["schema"]
        jsonschema.validate(good, taken)
        for body in (good, {"rows": 1}):
            reply = served.post(body)
            content = predict["responses"][str(reply.status)]["content"]["application/json"]
            schema = {**content["schema"], "components": description["components"]}
            jsonschema.validate(reply.tree, schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"rows": [{"age": 1}]}, taken)


def test_a_fault_of_the_server_is_one_line_on_its_own_output() -> None:
    """The client is told of it, and nothing of what it is."""

    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        raise ZeroDivisionError("a secret")

    async def ask() -> list[Message]:
        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        sent: list[Message] = []
        scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
        await Guard(fails, None, told.append)(scope, receive, send)
        return sent

    told: list[str] = []
    begun, body = asyncio.run(ask())
    assert begun["status"] == 500
    assert b"secret" not in body["body"]
    assert told == ["GET /: ZeroDivisionError: a secret"]


def test_the_command_says_how_to_try_it(table_run: kzoo.Run) -> None:
    """The line for curl has a row that the model takes."""
    with Server(table_run.path) as server:
        status, said = server.end()
    assert status == 128 + signal.SIGTERM
    assert f"{server.address}/predict" in said
    (line,) = (line for line in said.splitlines() if line.startswith("curl "))
    row = json.loads(line.split("--data-binary '")[1].split("'")[0])
    assert row.keys() == {"rows"}
    assert row["rows"][0].keys() == {"age", "city"}


class TestHostile:
    """What is sent to harm."""

    def test_small_files_of_many_pixels(self, server: Server) -> None:
        """A picture, or several together, that decode to more than 51 million pixels."""
        reply = server.post(_blank(9000, 6000), "image/png")
        assert reply.status == 422
        assert "received 9000x6000 pixels; expected at most 51,000,000" in reply.error
        body, kind = form_of([(f"{n}.png", _blank(5000, 4000)) for n in range(3)])
        reply = server.post(body, kind)
        assert (reply.status, "60,000,000 pixels" in reply.error) == (413, True)

    def test_too_many(self, server: Server) -> None:
        """Pictures and examples beyond the number of a request."""
        body, kind = form_of([(f"{n}.png", b"x") for n in range(65)])
        assert server.post(body, kind).status == 413
        body, kind = form_of([(f"{n}.png", b"x") for n in range(70)])
        assert server.post(body, kind).status == 400
        reply = server.post({"inputs": np.zeros((10_001, 8, 8), int).tolist()})
        assert (reply.status, "received 10,001; expected at most 10,000" in reply.error) == (
            413,
            True,
        )

    def test_too_large(self, server: Server) -> None:
        """Whether or not the length is said, and whether or not it is sent."""
        reply = server.post(b"[" + b"1," * (5 * 2**20) + b"1]")
        assert (reply.status, "expected at most 8,388,608" in reply.error) == (413, True)
        assert reply.headers["connection"] == "close"
        connection = server.connect()
        chunks = (b"\0" * 2**20 for _ in range(40))
        connection.request("POST", "/predict", chunks, {"Content-Type": "image/png"})
        assert reply_of(connection).status == 413
        connection.close()
        head = "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
        for more in ("Expect: 100-continue\r\n", ""):
            said = _raw(server, f"{head}{more}Content-Length: 99999999999\r\n\r\n".encode())
            assert said.startswith(b"HTTP/1.1 413 ")

    @pytest.mark.parametrize(
        "sent",
        [
            b"\x16\x03\x01\x02\x00\x01\x00\x01",
            b"no http at all\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + b"A: " + b"a" * 100_000,
            b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
            b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        ],
        ids=["tls", "words", "long header", "negative length", "two lengths"],
    )
    def test_what_is_no_http(self, server: Server, sent: bytes) -> None:
        """It is refused, and the server goes on."""
        said = _raw(server, sent)
        assert said.startswith(b"HTTP/1.1 400 ")
        assert said.endswith(b'{"error": "Invalid HTTP request received."}')
        assert server.ask("GET", "/health").status == 200

    def test_a_client_that_goes_away(self, server: Server) -> None:
        """Half a request is forgotten."""
        head = "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
        for _ in range(3):
            with socket.create_connection((server.host, server.port)) as sock:
                sock.sendall(f"{head}Content-Length: 100\r\n\r\nhalf".encode())
        assert server.ask("GET", "/health").status == 200

    def test_health_is_told_while_it_computes(self, server: Server) -> None:
        """A request that takes seconds does not keep the others waiting."""
        body = b'{"inputs":[' + b"[]," * 2**19 + b"[]]}"
        threads = [threading.Thread(target=server.post, args=(body,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for _ in range(5):
            assert server.ask("GET", "/health").status == 200
        assert any(thread.is_alive() for thread in threads)
        for thread in threads:
            thread.join()


def _raw(server: Server, sent: bytes) -> bytes:
    """Return all that comes back until the server closes the connection."""
    with socket.create_connection((server.host, server.port), timeout=30) as sock:
        sock.sendall(sent)
        return _rest(sock)


def _rest(sock: socket.socket) -> bytes:
    parts = []
    while part := sock.recv(65536):
        parts.append(part)
    return b"".join(parts)


def test_slow_and_too_many_clients_are_refused(trained: kzoo.Run) -> None:
    """A request that does not come in time has 408; one too many 503, and when to try again."""
    limits = {"HEADER_SECONDS": 1.0, "BODY_SECONDS": 2.0, "MOST_REQUESTS": 1, "MOST_BODIES": 10_000}
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
    with Server(trained.path, limits=limits) as server:
        for begun in (b"", b"GET /hea"):
            assert _raw(server, begun).startswith(b"HTTP/1.1 408 ")
        second = server.connect()
        second.request("GET", "/health")
        assert reply_of(second).status == 200
        second.sock.sendall(b"GET /hea")
        assert _rest(second.sock).startswith(b"HTTP/1.1 408 ")
        second.close()
        with socket.create_connection((server.host, server.port), timeout=30) as slow:
            slow.sendall(head + b"Content-Length: 100\r\n\r\nhalf")
            while (reply := server.post(_digit(0), "image/png")).status == 200:
                pass
            assert reply.status == 503
            assert reply.headers["retry-after"] == "1"
            assert "1 requests are being answered: send it again later" in reply.error
            said = _rest(slow)
        assert said.startswith(b"HTTP/1.1 408 ")
        assert b"received 4 bytes in 2 seconds" in said
        assert server.post(b"x" * 10_001, "image/png").status == 503
        assert server.post(_digit(0), "image/png").status == 200


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_after_the_answers(trained: kzoo.Run, number: int) -> None:
    """What is being sent is still answered; then the exit status is that of the signal."""
    head = "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
    body = _digit(0)
    with Server(trained.path) as server:
        idle = server.connect()
        idle.request("GET", "/health")
        reply_of(idle)
        with socket.create_connection((server.host, server.port), timeout=30) as sock:
            sock.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:9])
            _wait_until_heard(server)
            server.process.send_signal(number)
            _wait_until_refused(server)
            sock.sendall(body[9:])
            assert sock.recv(65536).startswith(b"HTTP/1.1 200 ")
        _, said = server.process.communicate(timeout=30)
        idle.close()
    assert server.process.returncode == 128 + number
    assert said.splitlines()[-1] == ("Interrupted." if number == signal.SIGINT else "Terminated.")
    assert "Traceback" not in said


def _wait_until_heard(server: Server) -> None:
    """Return when what was sent before has reached the server."""
    for _ in range(3):
        server.ask("GET", "/health")


def _wait_until_refused(server: Server) -> None:
    while True:
        try:
            with socket.create_connection((server.host, server.port), timeout=30):
                pass
        except OSError:
            return


def test_a_port_that_is_taken_is_one_line(trained: kzoo.Run, kzoo_here: Command) -> None:
    """So is an address that is not this computer's."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        finished = kzoo_here("serve", trained.path, "--port", str(port))
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr == (
        f"Error: --port: received {port}, which another program has; expected a free one (0 takes "
        "any)\n"
    )
    finished = kzoo_here("serve", trained.path, "--port", "0", "--host", "203.0.113.1")
    assert finished.returncode == 1
    assert "--host: received '203.0.113.1'; expected an address of this" in finished.stderr


def test_without_its_libraries_one_line_says_what_to_install(
    kzoo_here: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extra is named."""
    monkeypatch.setattr(serve, "find_spec", lambda name: None if name == "uvicorn" else name)
    finished = kzoo_here("serve", "latest")
    assert finished.returncode == 1
    assert finished.stderr == (
        'Error: the server needs uvicorn, not installed; pip install "kzoo[serve]"\n'
    )


def test_an_address_for_others_is_told_to_be_open(trained: kzoo.Run) -> None:
    """There any host may be asked for."""
    with Server(trained.path, "--host", "0.0.0.0") as server:  # noqa: S104
        reply = server.ask("GET", "/health", headers={"Host": "my-computer.example"})
        status, said = server.end()
    assert reply.status == 200
    assert status == 128 + signal.SIGTERM
    assert "NOTICE: everyone who can reach 0.0.0.0 can send it requests: there is no pass" in said


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
@pytest.mark.parametrize(
    ("clients", "seconds"), [(50, 5), pytest.param(200, 60, marks=pytest.mark.slow)]
)
def test_a_crowd_is_answered_in_flat_memory(trained: kzoo.Run, clients: int, seconds: int) -> None:
    """Many clients at once lose no request, and the server's memory does not grow."""
    with Server(trained.path) as server:
        got = crowd(server, clients, seconds, _digit(0), "image/png")
        status, said = server.end()
    assert (got.failures, set(got.statuses)) == ([], {200})
    begun, ended = got.memory
    rate, slowest = got.statuses[200] / seconds, max(got.seconds)
    print(
        f"{clients} clients, {seconds} s: {rate:.0f} requests a second, slowest {slowest:.1f} s, "
        f"memory {begun / 2**20:.0f} -> {ended / 2**20:.0f} MiB"
    )
    assert ended < begun * 1.1 + 8 * 2**20
    assert (status, "Error" in said) == (128 + signal.SIGTERM, False)
