"""Describe a release on the control node, and pack it for a host that does not have it.

A release is its content: the gateway package, the operator's application and portal, and the requirements of both for
one interpreter.  The same content gives the same identifier, wherever and whenever it is packed.

    release_archive.py QUESTION FOLDER [RELEASE ...]

Prints {"release": ID, "environment": ID, "archive": PATH, "text": PATH, "errors": [...]}.  Unless the release is one of
those named, which the host has, it is packed into a tar archive in FOLDER ("": not packed).  A small one is there in
base64, too ("text"): it travels with the command that unpacks it.  QUESTION is a JSON object: package and
requirements (what the role ships), app, app_object, app_requirements, portal (the operator's), interpreter, home and
group (the host's).
"""

from __future__ import annotations

import ast
import base64
import hashlib
import io
import json
import os
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

LEFT_OUT = {"__pycache__", ".git", ".hg", ".svn", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".venv", "venv"}
REFERENCES = ("-r", "--requirement", "-c", "--constraint", "-e", "--editable")
ID_LENGTH = 12
SMALL = 1024 * 1024  # bytes of an archive


class Question(NamedTuple):
    """What the role wants to know; folders and files are paths on this machine, empty where there is none."""

    package: str
    requirements: str
    app: str
    app_object: str
    app_requirements: str
    portal: str
    interpreter: str
    home: str
    group: str


class ChangedError(Exception):
    """The files are being changed while they are read."""


class Entry(NamedTuple):
    """A file of the release: its name there and the file or link here."""

    name: str
    source: Path


def entries(folder: str, name: str) -> Iterator[Entry]:
    """Yield the files and links below a folder in a stable order, caches and version control left out."""
    for parent, folders, files in os.walk(folder):
        links = [item for item in folders if os.path.islink(os.path.join(parent, item))]
        folders[:] = sorted(set(folders) - LEFT_OUT - set(links))
        for item in sorted([*files, *links]):
            source = Path(parent, item)
            if source.suffix != ".pyc":
                yield Entry(str(Path(name) / source.relative_to(folder)), source)


def content(question: Question) -> list[Entry]:
    """Return every file of the release."""
    found = [*entries(question.package, "lib/webpy_gateway"), *entries(question.app, "app")]
    return [*found, *entries(question.portal, "portal")] if question.portal else found


def digest_of(*parts: str | bytes) -> str:
    """Return a short hash over parts, each framed by its length so that no two sequences collide."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(b"%d:%b" % (len(data), data))
    return total.hexdigest()[:ID_LENGTH]


def requirements(question: Question) -> bytes:
    """Return all requirements as one file: what the gateway needs, then what the application adds."""
    files = [Path(question.requirements), Path(question.app, question.app_requirements)]
    return b"\n".join(file.read_bytes() for file in files if file.is_file())


def environment_id(question: Question) -> str:
    """Return the identifier of the virtual environment: what is installed, and for which interpreter."""
    return digest_of(question.interpreter, requirements(question))


def release_id(question: Question) -> str:
    """Return the identifier of the release: all its files, whether they are executable, and its environment."""
    parts: list[str | bytes] = [environment_id(question)]
    for entry in content(question):
        link = entry.source.is_symlink()
        parts += [entry.name, "link" if link else "program" if os.access(entry.source, os.X_OK) else "file"]
        parts.append(os.readlink(entry.source) if link else entry.source.read_bytes())
    return digest_of(*parts)


def requirement_errors(question: Question) -> Iterator[str]:
    """Yield what is wrong with the application's requirements: pip must be able to check every line by its hash."""
    file = Path(question.app, question.app_requirements)
    if not file.is_file():
        return
    for line in file.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        requirement = line.split(" #")[0].strip()
        if requirement.startswith(REFERENCES):
            yield (
                f"webpy_gateway_app_requirements: {requirement!r} in {file} refers to what does not reach the host; "
                "put the pinned lines themselves into the file"
            )
        elif requirement and not requirement.startswith(("#", "--")) and "--hash=" not in requirement:
            yield (
                f"webpy_gateway_app_requirements: {requirement!r} in {file} has no hash; "
                "pin it, for example with `uv pip compile --generate-hashes`"
            )


def bound_names(module: ast.Module) -> set[str] | None:
    """Return the names that a module binds at its top level; None where only running it can tell."""
    names: set[str] = set()
    for node in ast.walk(module):
        match node:
            case ast.ImportFrom(names=[ast.alias(name="*")]):
                return None
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                names |= {alias.asname or alias.name.split(".")[0] for alias in aliases}
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
    return names


def application_errors(question: Question) -> Iterator[str]:
    """Yield what can be seen to be wrong with the application without running it."""
    folder = Path(question.app)
    if not folder.is_dir() or not any(entries(question.app, "")):
        yield f"webpy_gateway_app_src: {question.app!r} is no folder with files; name the folder of the application"
        return
    for entry in entries(question.app, ""):
        if entry.source.is_symlink() and not entry.source.resolve().is_relative_to(folder.resolve()):
            yield f"webpy_gateway_app_src: the link {str(entry.source)!r} leaves the folder; put the file itself there"
    module, _, attribute = question.app_object.partition(":")
    stem = folder.joinpath(*module.split("."))
    file = next((file for file in (stem.with_suffix(".py"), stem / "__init__.py") if file.is_file()), None)
    if file is None:
        yield f"webpy_gateway_app_object: {question.app_object!r}: there is no {stem}.py; name a module of the folder"
        return
    try:
        names = bound_names(ast.parse(file.read_bytes(), str(file)))
    except (SyntaxError, ValueError) as error:
        yield f"webpy_gateway_app_object: {str(file)!r} is no valid Python: {error}; correct it"
        return
    if names is not None and attribute.split(".")[0] not in names:
        yield (
            f"webpy_gateway_app_object: {question.app_object!r}: {file} defines no {attribute!r}; "
            "name the web.application or WSGI callable in it"
        )


def portal_errors(question: Question) -> Iterator[str]:
    """Yield what is wrong with the folder of static pages."""
    if question.portal and not any(entries(question.portal, "")):
        yield f"webpy_gateway_portal_src: {question.portal!r} is no folder with files; name the folder of the pages"


def describe(question: Question) -> dict[str, object]:
    """Return the identifiers of the release and its environment, or every error at once."""
    errors = [*application_errors(question), *requirement_errors(question), *portal_errors(question)]
    if errors:
        return {"release": "", "environment": "", "errors": errors}
    return {"release": release_id(question), "environment": environment_id(question), "errors": []}


def pack(question: Question, release: str, folder: str) -> str:
    """Write the release as a tar archive that root unpacks (the application is for its group only); return its path.

    Raises ChangedError where the files are no longer those that the identifier was computed from.
    """
    if release_id(question) != release:
        raise ChangedError(f"webpy_gateway_app_src: files in {question.app!r} changed during the run; run again")
    handle, archive = tempfile.mkstemp(prefix="webpy_gateway-", suffix=".tar.gz", dir=folder)
    os.close(handle)
    with tarfile.open(archive, "w:gz", compresslevel=1, format=tarfile.PAX_FORMAT) as tar:

        def add(name: str, kind: bytes = tarfile.REGTYPE, mode: int = 0o644, data: bytes = b"", link: str = "") -> None:
            info = tarfile.TarInfo(f"{release}/{name}".rstrip("/"))
            info.type, info.mode, info.size, info.linkname = kind, mode, len(data), link
            info.uname, info.gname = "root", question.group
            tar.addfile(info, io.BytesIO(data))

        add("", tarfile.DIRTYPE, 0o755)
        add("app", tarfile.DIRTYPE, 0o750)
        for entry in content(question):
            if entry.source.is_symlink():
                add(entry.name, tarfile.SYMTYPE, 0o777, link=os.readlink(entry.source))
            else:
                mode = 0o755 if os.access(entry.source, os.X_OK) else 0o644
                add(entry.name, mode=mode, data=entry.source.read_bytes())
        add("requirements.txt", data=requirements(question))
        add("release.json", data=json.dumps({"id": release, "environment": environment_id(question)}).encode())
        add("venv", tarfile.SYMTYPE, 0o777, link=f"{question.home}/venvs/{environment_id(question)}")
    return archive


def as_text(archive: str) -> str:
    """Write a small archive in base64 beside it, and return the path; "" for a large one."""
    if os.path.getsize(archive) > SMALL:
        return ""
    text = Path(f"{archive}.base64")
    text.write_bytes(base64.b64encode(Path(archive).read_bytes()))
    return str(text)


def main() -> None:
    """Answer the question in the arguments."""
    question, folder, built = Question(**json.loads(sys.argv[1])), sys.argv[2], sys.argv[3:]
    answer = describe(question)
    release = str(answer["release"])
    archive = text = ""
    if release and folder and release not in built:
        try:
            archive = pack(question, release, folder)
            text = as_text(archive)
        except ChangedError as error:
            answer["errors"] = [str(error)]
    print(json.dumps(answer | {"archive": archive, "text": text}))


if __name__ == "__main__":
    main()
