#!/usr/bin/env python3
"""A small S3 that is strict where the real one is, and fails when it is told to.

It checks signatures (Signature Version 4), the body's SHA-256, CRC32 and MD5
checksums, part sizes and conditional writes, keeps everything in memory and
listens on 127.0.0.1. Its first line of output is its port. There is one
bucket for each first part of a path, and one pair of keys: the arguments.

It also plays the two services that hand out temporary credentials: a
container's (/_container) and an instance's metadata service (/latest/...).

  PUT  /_faults    a JSON list of {"operation", "fault", "times", "after", "seconds" (of a hang)}:
                   after so many requests of the kind, so many fail (-1: all)
  PUT  /_rate      bytes a second at which bodies are read; 0: as they come
  PUT  /_age       seconds by which uploads under way look older, with their parts
  PUT  /_age_begin the same for their beginning alone
  PUT  /_delay     seconds that pass before an answer
  PUT  /_page      keys on a page of a list
  PUT  /_lifetime  seconds that credentials are good for
  GET  /_state     {"requests": {operation: count}, "uploads": [bucket/key, ...],
                    "written_with": headers of the newest object's first request}
"""
import base64
import collections
import datetime
import email.utils
import hashlib
import hmac
import http.server
import json
import re
import socket
import struct
import sys
import threading
import time
import urllib.parse
import uuid
import zlib
from xml.sax.saxutils import escape

KEY_ID, SECRET, REGION = sys.argv[1:4]
SMALLEST_PART = 5 << 20

lock = threading.Lock()
objects = {}   # (bucket, key) -> Object
uploads = {}   # upload id -> Upload
faults = []
requests = collections.Counter()
bytes_per_second = 0
delay = 0.0
page_keys = 3  # short pages: paging is part of the contract
lifetime = 3600
written_with = {}  # the headers of the newest object
sessions = {}  # token -> when it expires


class Object:
    def __init__(self, body, etag, headers, crc32):
        self.body, self.etag, self.headers, self.crc32 = body, etag, headers, crc32
        self.modified = time.time()


class Upload:
    def __init__(self, bucket, key, headers, full_crc32):
        self.bucket, self.key, self.headers, self.full_crc32 = bucket, key, headers, full_crc32
        self.parts = {}
        self.initiated = time.time()


class Refusal(Exception):
    def __init__(self, status, code, message="", **fields):
        self.status, self.code, self.message, self.fields = status, code, message, fields


class Cut(Exception):
    """The connection ends here, by a reset."""


def crc32_base64(body):
    return base64.b64encode(struct.pack(">I", zlib.crc32(body))).decode()


def rfc3339(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def quote(text, safe=""):
    return urllib.parse.quote(text, safe=safe + "-._~")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def handle_request(self):
        path, _, query = self.path.partition("?")
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        body = self.read_body()
        if path.startswith(("/_container", "/latest/")):
            return self.hand_out(path)
        if path.startswith("/_"):
            return self.control(path, body)
        label, _, host = self.headers.get("host", "").partition(".")
        if host.startswith("localhost:"):  # virtual-hosted style
            self.bucket, key = label, path[1:]
        else:
            self.bucket, _, key = path.lstrip("/").partition("/")
        self.key = urllib.parse.unquote(key)
        self.operation = self.name_of_operation()
        time.sleep(delay)
        fault = self.fault = self.due_fault()
        try:
            if fault in ("reset-before", "hang-before"):
                raise Cut if fault == "reset-before" else self.hang()
            self.check_signature(path, query, body)
            self.refuse_by(fault)
            status, headers, answer = getattr(self, self.operation)(body)
            if fault in ("reset-after", "hang-after"):
                raise Cut if fault == "reset-after" else self.hang()
            if fault == "wrong-checksum":
                headers["x-amz-checksum-crc32"] = "AAAAAA=="
            self.answer(status, headers, answer, cut=fault in ("truncate", "no-range-truncate"))
        except Refusal as refusal:
            fields = {"Code": refusal.code, "Message": refusal.message, "RequestId": "standin", **refusal.fields}
            xml = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
            self.answer(refusal.status, {}, f"<Error>{xml}</Error>".encode())
        except Cut:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_request

    def read_body(self):
        left = int(self.headers.get("content-length", 0))
        pieces = []
        while left > 0:
            piece = self.rfile.read(min(left, 1 << 20))
            if not piece:
                raise ConnectionError("the body ended early")
            pieces.append(piece)
            left -= len(piece)
            if bytes_per_second:
                time.sleep(len(piece) / bytes_per_second)
        return b"".join(pieces)

    def answer(self, status, headers, body, cut=False):
        self.send_response(status)
        self.send_header("x-amz-request-id", "standin")
        for name, value in headers.items():
            self.send_header(name, value)
        if "content-length" not in headers:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if cut:
            self.wfile.write(body[:len(body) // 2])
            self.wfile.flush()
            raise Cut
        self.wfile.write(body)

    def hand_out(self, path):
        if path == "/latest/api/token" and self.command == "PUT":
            return self.answer(200, {}, b"instance-token")
        asks_well = {"/_container": self.headers.get("authorization") == "container-token"}
        if not asks_well.get(path, self.headers.get("x-aws-ec2-metadata-token") == "instance-token"):
            return self.answer(401, {}, b"")
        if path == "/latest/meta-data/iam/security-credentials/":
            return self.answer(200, {}, b"a-role\n")
        with lock:
            requests["credentials"] += 1
            token = f"secret-session-{uuid.uuid4().hex}"
            sessions[token] = time.time() + lifetime
            expiration = rfc3339(sessions[token])
        self.answer(200, {}, json.dumps({"Code": "Success", "AccessKeyId": KEY_ID, "SecretAccessKey": SECRET,
                                         "Token": token, "Expiration": expiration}).encode())

    def control(self, path, body):
        global faults, bytes_per_second, delay, page_keys, lifetime
        with lock:
            if path == "/_faults":
                faults = json.loads(body)
                requests.clear()
            elif path == "/_rate":
                bytes_per_second = int(body)
            elif path == "/_delay":
                delay = float(body)
            elif path == "/_page":
                page_keys = int(body)
            elif path == "/_lifetime":
                lifetime = int(body)
            elif path in ("/_age", "/_age_begin"):
                for upload in uploads.values():
                    upload.initiated -= int(body)
                    if path == "/_age":
                        upload.parts = {number: (*part, stored - int(body)) for number, (*part, stored) in upload.parts.items()}
            state = {"requests": dict(requests), "written_with": written_with, "uploads": [f"{upload.bucket}/{upload.key}" for upload in uploads.values()]}
        self.answer(200, {}, json.dumps(state).encode())

    # Faults.

    def due_fault(self):
        with lock:
            count = requests[self.operation]
            requests[self.operation] += 1
            for fault in faults:
                first = fault.get("after", 0)
                times = fault.get("times", 1)
                if fault["operation"] == self.operation and count >= first and (times < 0 or count < first + times):
                    self.hang_seconds = fault.get("seconds", 3)
                    return fault["fault"]
        return ""

    def hang(self):
        time.sleep(self.hang_seconds)
        return Cut()

    def refuse_by(self, fault):
        refusals = {"500": (500, "InternalError"), "503": (503, "SlowDown"), "403": (403, "AccessDenied"),
                    "archived": (403, "InvalidObjectState"),
                    "expired-token": (400, "ExpiredToken"), "200-error": (200, "InternalError")}
        if fault.startswith("no-condition") and "if-none-match" in self.headers:
            raise Refusal(*{"501": (501, "NotImplemented"), "412": (412, "PreconditionFailed")}[fault[-3:]], "no conditions")
        if fault in refusals:
            raise Refusal(*refusals[fault], "as it was told")

    # Who asks.

    def check_signature(self, path, query, body):
        match = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})",
                             self.headers.get("authorization", ""))
        if not match:
            raise Refusal(403, "AccessDenied", "no signature")
        credential, names, signature = match.groups()
        key_id, day, region, service, end = credential.split("/")
        if key_id != KEY_ID:
            raise Refusal(403, "InvalidAccessKeyId", "no such key")
        if region != REGION:
            raise Refusal(400, "AuthorizationHeaderMalformed", "wrong region", Region=REGION)
        sent = self.headers["x-amz-date"]
        seconds = datetime.datetime.strptime(sent + "+0000", "%Y%m%dT%H%M%SZ%z").timestamp()
        if abs(seconds - time.time()) > 900:
            raise Refusal(403, "RequestTimeTooSkewed", "the clocks differ")
        unsigned = [name for name in self.headers if name.lower().startswith("x-amz-") and name.lower() not in names.split(";")]
        if unsigned or "host" not in names.split(";"):
            raise Refusal(403, "AccessDenied", "headers that are not signed")
        token = self.headers.get("x-amz-security-token")
        if token is not None and sessions.get(token, 0) < time.time():
            raise Refusal(400, "ExpiredToken", "the token is unknown or has expired")
        body_hash = self.headers["x-amz-content-sha256"]
        if body_hash != hashlib.sha256(body).hexdigest():
            raise Refusal(400, "XAmzContentSHA256Mismatch", "the body is another")
        pairs = sorted((quote(urllib.parse.unquote(name)), quote(urllib.parse.unquote(value)))
                       for name, _, value in (pair.partition("=") for pair in query.split("&") if pair))
        canonical = "\n".join([
            self.command, quote(urllib.parse.unquote(path), "/"), "&".join(f"{name}={value}" for name, value in pairs),
            *(f"{name}:{' '.join(self.headers[name].split())}" for name in names.split(";")), "", names, body_hash])
        scope = f"{day}/{region}/{service}/{end}"
        text = "\n".join(["AWS4-HMAC-SHA256", sent, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = b"AWS4" + SECRET.encode()
        for piece in (day, region, service, end):
            key = hmac.new(key, piece.encode(), hashlib.sha256).digest()
        if hmac.new(key, text.encode(), hashlib.sha256).hexdigest() != signature:
            raise Refusal(403, "SignatureDoesNotMatch", "the signature is another")

    # What is asked.

    def name_of_operation(self):
        if not self.key:
            return "ListMultipartUploads" if "uploads" in self.query else "ListObjectsV2"
        if "uploads" in self.query:
            return "CreateMultipartUpload"
        if "uploadId" in self.query:
            return {"PUT": "UploadPart", "POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload",
                    "GET": "ListParts"}[self.command]
        return {"PUT": "PutObject", "GET": "GetObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}[self.command]

    def kept_headers(self):
        written_with.clear()
        written_with.update({name.lower(): value for name, value in self.headers.items()})
        kept = ("x-amz-meta-", "x-amz-server-side-encryption")
        return {name: value for name, value in written_with.items() if name.startswith(kept)}

    def check_checksums(self, body):
        crc32 = self.headers.get("x-amz-checksum-crc32")
        if crc32 is not None and crc32 != crc32_base64(body):
            raise Refusal(400, "BadDigest", "the CRC32 is another")
        digest = self.headers.get("content-md5")
        if digest is not None and digest != base64.b64encode(hashlib.md5(body).digest()).decode():
            raise Refusal(400, "BadDigest", "the MD5 is another")
        return {} if crc32 is None else {"x-amz-checksum-crc32": crc32}

    def check_condition(self):
        if self.headers.get("if-none-match") == "*" and (self.bucket, self.key) in objects:
            raise Refusal(412, "PreconditionFailed", "the key exists")

    def upload(self):
        upload = uploads.get(self.query["uploadId"])
        if upload is None or (upload.bucket, upload.key) != (self.bucket, self.key):
            raise Refusal(404, "NoSuchUpload", "no such upload")
        return upload

    def object(self):
        stored = objects.get((self.bucket, self.key))
        if stored is None:
            raise Refusal(404, "NoSuchKey", "no such key")
        return stored

    def PutObject(self, body):
        echo = self.check_checksums(body)
        with lock:
            self.check_condition()
            etag = f'"{hashlib.md5(body).hexdigest()}"'
            body = next((stored.body for stored in objects.values() if stored.etag == etag), body)  # the same bytes once
            objects[self.bucket, self.key] = Object(body, etag, self.kept_headers(), echo.get("x-amz-checksum-crc32"))
        return 200, {"etag": etag, **echo}, b""

    def CreateMultipartUpload(self, _):
        upload_id = uuid.uuid4().hex
        with lock:
            full = self.headers.get("x-amz-checksum-type") == "FULL_OBJECT"
            uploads[upload_id] = Upload(self.bucket, self.key, self.kept_headers(), full)
        return 200, {}, (f"<InitiateMultipartUploadResult><UploadId>{upload_id}</UploadId>"
                         f"</InitiateMultipartUploadResult>").encode()

    def UploadPart(self, body):
        echo = self.check_checksums(body)
        etag = f'"{hashlib.md5(body).hexdigest()}"'
        with lock:
            upload = self.upload()
            if upload.full_crc32 and not echo:
                raise Refusal(400, "InvalidRequest", "a checksum was promised")
            upload.parts[int(self.query["partNumber"])] = (etag, body, time.time())
        return 200, {"etag": etag, **echo}, b""

    def CompleteMultipartUpload(self, body):
        with lock:
            upload = self.upload()
            self.check_condition()
            named = re.findall(r"<PartNumber>(\d+)</PartNumber><ETag>([^<]*)</ETag>", body.decode())
            parts = [upload.parts.get(int(number), (None, b"", 0)) for number, _ in named]
            if [etag for etag, *_ in parts] != [etag.replace("&quot;", '"') for _, etag in named] or not parts:
                raise Refusal(400, "InvalidPart", "a part is not there")
            if [int(number) for number, _ in named] != list(range(1, len(named) + 1)):
                raise Refusal(400, "InvalidPartOrder", "parts are missing or out of order")
            if any(len(part) < SMALLEST_PART for _, part, _ in parts[:-1]):
                raise Refusal(400, "EntityTooSmall", "a part is too small")
            whole = b"".join(part for _, part, _ in parts)
            size = self.headers.get("x-amz-mp-object-size")
            if size is not None and int(size) != len(whole):
                raise Refusal(400, "InvalidRequest", "the size is another")
            crc32 = self.headers.get("x-amz-checksum-crc32")
            if crc32 is not None and crc32 != crc32_base64(whole):
                raise Refusal(400, "BadDigest", "the CRC32 of the whole is another")
            etag = f'"{hashlib.md5(whole).hexdigest()}-{len(parts)}"'
            objects[self.bucket, self.key] = Object(whole, etag, upload.headers, crc32)
            del uploads[self.query["uploadId"]]
        return 200, {}, f"<CompleteMultipartUploadResult><ETag>{escape(etag)}</ETag></CompleteMultipartUploadResult>".encode()

    def AbortMultipartUpload(self, _):
        with lock:
            self.upload()
            del uploads[self.query["uploadId"]]
        return 204, {}, b""

    def object_headers(self, stored):
        headers = {"etag": stored.etag, "last-modified": email.utils.formatdate(stored.modified, usegmt=True), **stored.headers}
        if stored.crc32 and self.headers.get("x-amz-checksum-mode") == "ENABLED":
            headers["x-amz-checksum-crc32"] = stored.crc32
        return headers

    def HeadObject(self, _):
        stored = self.object()
        return 200, {**self.object_headers(stored), "content-length": str(len(stored.body))}, b""

    def GetObject(self, _):
        stored = self.object()
        if self.headers.get("if-match") not in (None, stored.etag):
            raise Refusal(412, "PreconditionFailed", "it has changed")
        match = re.fullmatch(r"bytes=(\d*)-(\d+)", self.headers.get("range", ""))
        if not match or self.fault.startswith("no-range"):
            return 200, self.object_headers(stored), stored.body
        first, last = int(match[1] or max(len(stored.body) - int(match[2]), 0)), len(stored.body) - 1
        if match[1]:
            last = min(int(match[2]), last)
        if first > last:
            raise Refusal(416, "InvalidRange", "behind the end")
        headers = {**self.object_headers(stored), "content-range": f"bytes {first}-{last}/{len(stored.body)}"}
        return 206, headers, stored.body[first:last + 1]

    def DeleteObject(self, _):
        with lock:
            objects.pop((self.bucket, self.key), None)
        return 204, {}, b""

    def ListObjectsV2(self, _):
        prefix = self.query.get("prefix", "")
        keys = sorted(key for bucket, key in objects if bucket == self.bucket and key.startswith(prefix)
                      and "/" not in key[len(prefix):])
        start = self.query.get("continuation-token", "")
        keys = [key for key in keys if key > start]
        page = keys[:page_keys]
        xml = "".join(f"<Contents><Key>{quote(key, '/')}</Key><Size>{len(objects[self.bucket, key].body)}</Size>"
                      f"<LastModified>{rfc3339(objects[self.bucket, key].modified)}</LastModified></Contents>" for key in page)
        if len(keys) > len(page):
            xml += f"<IsTruncated>true</IsTruncated><NextContinuationToken>{escape(page[-1])}</NextContinuationToken>"
        return 200, {}, f"<ListBucketResult><EncodingType>url</EncodingType>{xml}</ListBucketResult>".encode()

    def ListMultipartUploads(self, _):
        prefix = self.query.get("prefix", "")
        behind = (self.query.get("key-marker", ""), self.query.get("upload-id-marker", ""))
        with lock:
            found = sorted((upload.key, upload_id, upload.initiated) for upload_id, upload in uploads.items()
                           if upload.bucket == self.bucket and upload.key.startswith(prefix) and (upload.key, upload_id) > behind)
        page = found[:page_keys]
        xml = "".join(f"<Upload><Key>{quote(key, '/')}</Key><UploadId>{upload_id}</UploadId>"
                      f"<Initiated>{rfc3339(initiated)}</Initiated></Upload>" for key, upload_id, initiated in page)
        if len(found) > len(page):
            xml += (f"<IsTruncated>true</IsTruncated><NextKeyMarker>{quote(page[-1][0], '/')}</NextKeyMarker>"
                    f"<NextUploadIdMarker>{page[-1][1]}</NextUploadIdMarker>")
        return 200, {}, (f"<ListMultipartUploadsResult><EncodingType>url</EncodingType>{xml}"
                         f"</ListMultipartUploadsResult>").encode()

    def ListParts(self, _):
        with lock:
            found = sorted((number, stored) for number, (*_, stored) in self.upload().parts.items()
                           if number > int(self.query.get("part-number-marker", 0)))
        page = found[:page_keys]
        xml = "".join(f"<Part><PartNumber>{number}</PartNumber><LastModified>{rfc3339(stored)}</LastModified></Part>"
                      for number, stored in page)
        if len(found) > len(page):
            xml += f"<IsTruncated>true</IsTruncated><NextPartNumberMarker>{page[-1][0]}</NextPartNumberMarker>"
        return 200, {}, f"<ListPartsResult>{xml}</ListPartsResult>".encode()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


server = Server(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
