"""Compiled extensions with libraries of their own: cryptography, lxml, Pillow; gRPC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.applications.conftest import Assemble

pytestmark = pytest.mark.long

SEAL = """
import datetime
import io

from cryptography import x509
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from lxml import etree, html, isoschematron, objectify
from PIL import Image, ImageDraw, ImageFilter, ImageFont


def seal():
    fernet = Fernet(Fernet.generate_key())
    print(fernet.decrypt(fernet.encrypt(b"tea")).decode())
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "example.org")])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(1))
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    print(x509.load_pem_x509_certificate(pem).subject.rfc4514_string())


def parse():
    tree = etree.fromstring("<tea><cup size='3'/><cup size='4'/></tea>")
    print(tree.xpath("sum(//@size)"), html.fromstring("<p>a<b>b").text_content())
    print(objectify.fromstring("<a><b>5</b></a>").b + 1)
    sheet = etree.XSLT(etree.XML(
        '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">'
        '<xsl:template match="/"><n><xsl:value-of select="count(//cup)"/></n></xsl:template></xsl:stylesheet>'
    ))
    print(sheet(tree).getroot().text)
    rule = etree.XML(
        '<schema xmlns="http://purl.oclc.org/dsdl/schematron"><pattern><rule context="tea">'
        '<assert test="count(cup) = 2">two</assert></rule></pattern></schema>'
    )
    print(isoschematron.Schematron(rule).validate(tree))


def draw():
    for kind in ("PNG", "JPEG", "WEBP", "TIFF", "GIF"):
        image = Image.new("RGB", (40, 20), "white")
        ImageDraw.Draw(image).text((2, 2), "tea", fill="black", font=ImageFont.load_default(12))
        buffer = io.BytesIO()
        image.filter(ImageFilter.BLUR).save(buffer, kind)
        buffer.seek(0)
        again = Image.open(buffer)
        again.load()
        print(again.format, again.size)


def main():
    seal()
    parse()
    draw()
"""


def test_cryptography_lxml_and_pillow(assemble: Assemble) -> None:
    seal = assemble(
        "seal",
        dependencies=["cryptography", "lxml", "pillow"],
        scripts={"seal": "seal:main"},
        files={"seal/__init__.py": SEAL},
    )
    told = seal.answer("start").splitlines()
    assert told[:2] == ["tea", "CN=example.org"]
    assert told[2:6] == ["7.0 ab", "6", "2", "True"]
    assert told[6:] == [f"{kind} (40, 20)" for kind in ("PNG", "JPEG", "WEBP", "TIFF", "GIF")]


GREET = """
import asyncio
import sys
from concurrent import futures

import grpc
from google.protobuf import empty_pb2, wrappers_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

NAME = "example.Greeter"


def greet(request, context):
    return wrappers_pb2.StringValue(value=f"Hello, {request.value}!")


def serve():
    server = grpc.server(futures.ThreadPoolExecutor(2))
    handler = grpc.unary_unary_rpc_method_handler(
        greet,
        request_deserializer=wrappers_pb2.StringValue.FromString,
        response_serializer=wrappers_pb2.StringValue.SerializeToString,
    )
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(NAME, {"Greet": handler})])
    health_pb2_grpc.add_HealthServicer_to_server(health.HealthServicer(), server)
    reflection.enable_server_reflection([NAME, reflection.SERVICE_NAME], server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def main():
    server, port = serve()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary(
            f"/{NAME}/Greet",
            request_serializer=wrappers_pb2.StringValue.SerializeToString,
            response_deserializer=wrappers_pb2.StringValue.FromString,
        )
        print(call(wrappers_pb2.StringValue(value=sys.argv[1]), timeout=20).value)
        check = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=20)
        print(health_pb2.HealthCheckResponse.ServingStatus.Name(check.status))
    asyncio.run(again(port))
    server.stop(None).wait()


async def again(port):
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        print((await stub.Check(health_pb2.HealthCheckRequest(), timeout=20)).status)
"""


def test_grpc_serves_and_asks(assemble: Assemble) -> None:
    greet = assemble(
        "greet",
        dependencies=["grpcio", "grpcio-health-checking", "grpcio-reflection", "grpcio-tools"],
        scripts={"greet": "greet:main"},
        files={"greet/__init__.py": GREET},
    )
    assert greet.answer("start", "you") == "Hello, you!\nSERVING\n1\n"
    written = greet.shell(
        "cd /tmp; echo 'syntax = \"proto3\"; message Tea { int32 cups = 1; }' >tea.proto;"
        '"$release" run python-grpc-tools-protoc -I. --python_out=. --grpc_python_out=. tea.proto; ls'
    )
    assert "tea_pb2.py" in written
