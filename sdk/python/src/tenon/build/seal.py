"""
Takes the imports of files and sockets out of a component. CPython's C library imports them, whatever a program does, and hosts refuse a guest
that does. In their place, the component gets a component of its own in which there is no folder and no socket can be made, so that `open`
and `socket` raise `OSError`. Everything else of WASI that the library imports, hosts provide.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .wasm import (
    COMPONENT_PREAMBLE,
    CORE_PREAMBLE,
    FormError,
    Reader,
    Section,
    Signature,
    imported_functions,
    leb,
    leb_signed,
    section,
    sections,
    text,
    vector,
)

SEALED = ("wasi:filesystem/", "wasi:sockets/")

CUSTOM, CORE_MODULE, CORE_INSTANCE, COMPONENT, INSTANCE, ALIAS, TYPE, CANON, IMPORT, EXPORT = 0, 1, 2, 4, 5, 6, 7, 8, 10, 11
SORT_CORE, SORT_FUNC, SORT_TYPE, SORT_COMPONENT, SORT_INSTANCE = 0, 1, 3, 4, 5
I32 = 0x7F
VALUE_TYPES = {0x7F: 0x79, 0x7E: 0x77, 0x7D: 0x76, 0x7C: 0x75}
"""The component's type of each core type: u32, u64, f32, f64."""

EMPTY_AT, DENIED_AT = 0, 16
"""Where the memory of the replacement has an empty list, and an error `access-denied` in a result."""
ANSWER_TYPES = [b"\x70\x7d", b"\x6a\x01\x79\x01\x7d"]
"""The types of answers: `list<u8>`, and a result of a handle or an error code. They are the first types wherever they are needed."""
LIST, RESULT = 0, 1


@dataclass
class Interface:
    """What a component uses of a sealed interface."""

    name: str
    types: list[str] = field(default_factory=list)
    functions: dict[str, Signature] = field(default_factory=dict)

    def resources(self) -> list[str]:
        """The types that have handles."""
        methods = {_resource(name) for name in self.functions} - {""}
        return sorted(methods | {"network"} & set(self.types))

    def all_types(self) -> list[str]:
        """All types that are used."""
        return sorted({*self.types, *self.resources()})


def seal(component: bytes) -> bytes:
    """
    The component without imports of files and sockets, inside of one that has the rest of its imports. They are beside each other, because
    a component may not call one that it contains.
    """
    parts = [part for part in sections(component) if not _is_names(part)]
    sealed = _sealed(parts)
    if not sealed:
        return component
    first = min(sealed)
    inner: list[bytes] = [COMPONENT_PREAMBLE]
    outer = [COMPONENT_PREAMBLE]
    arguments: list[bytes] = []
    exports: list[str] = []
    is_head, instances = True, 0
    for number, part in enumerate(parts):
        following = parts[number + 1] if number + 1 < len(parts) else part
        interface = sealed.get(instances)
        content = part.content
        if part.number == TYPE and following.number == IMPORT and interface is not None:
            content = b"\x01" + _instance_type(interface)
        inner.append(section(part.number, content))
        if is_head and part.number in (TYPE, ALIAS, IMPORT):
            if part.number == IMPORT and interface is not None:
                if instances == first:
                    outer.append(section(COMPONENT, _replacement(list(sealed.values()))))
                    outer.append(section(INSTANCE, b"\x01\x00\x00\x00"))
                outer.append(section(ALIAS, b"\x01" + _instance_alias(first, interface.name)))
            else:
                outer.append(section(part.number, _shifted(part.number, content, first)))
            if part.number == IMPORT:
                place = instances + (instances >= first)
                arguments.append(text(_import_name(content)) + bytes([SORT_INSTANCE]) + leb(place))
        else:
            is_head = False
        if part.number == EXPORT:
            exports += [name for name in _exports(Reader(content)) if ":" in name]
        instances += _instances(part)
    own = len(arguments) + 1
    outer.append(section(COMPONENT, b"".join(inner)))
    outer.append(section(INSTANCE, b"\x01\x00\x01" + vector(arguments)))
    for number, name in enumerate(exports):
        # The alias is an instance, and so is the export.
        outer.append(section(ALIAS, b"\x01" + _instance_alias(own, name)))
        outer.append(section(EXPORT, b"\x01\x00" + text(name) + bytes([SORT_INSTANCE]) + leb(own + 1 + 2 * number) + b"\x00"))
    return b"".join(outer)


def _is_names(part: Section) -> bool:
    return part.number == CUSTOM and Reader(part.content).text() == "component-name"


def _instance_alias(instance: int, name: str) -> bytes:
    return bytes([SORT_INSTANCE, 0x00]) + leb(instance) + text(name)


def _import_name(content: bytes) -> str:
    reader = Reader(content)
    reader.take(2)
    return reader.text()


def _instances(part: Section) -> int:
    """How many instances a section adds."""
    reader = Reader(part.content)
    if part.number == IMPORT:
        if reader.leb() != 1 or reader.byte() > 1:
            raise FormError("an import section of another form")
        reader.text()
        return 1 if reader.byte() == SORT_INSTANCE else 0
    if part.number == EXPORT:
        return len(list(_exports(reader)))
    return reader.leb() if part.number == INSTANCE else 0


def _sealed(parts: list[Section]) -> dict[int, Interface]:
    """The sealed interfaces by their instances, with what is used of them."""
    found: dict[int, Interface] = {}
    signatures: dict[tuple[str, str], Signature] = {}
    instances = 0
    for part in parts:
        if part.number == IMPORT:
            reader = Reader(part.content)
            reader.take(2)
            name = reader.text()
            if name.startswith(SEALED):
                found[instances] = Interface(name)
        elif part.number == CORE_MODULE:
            for module, function, signature in imported_functions(part.content):
                signatures[module.partition("@")[0], function] = signature
        instances += _instances(part)
    for part in parts:
        if part.number == ALIAS:
            for sort, instance, name, _ in _aliases(Reader(part.content)):
                interface = found.get(instance)
                if interface is None:
                    continue
                if sort == SORT_TYPE and name not in interface.types:
                    interface.types.append(name)
                elif sort == SORT_FUNC:
                    interface.functions[name] = signatures[interface.name.partition("@")[0], name]
    return found


def _aliases(reader: Reader) -> Iterator[tuple[int, int, str, bytes]]:
    """Aliases with what they are of: sort, instance, name, and the bytes. The instance is -1 if it is not one of this component."""
    for _ in range(reader.leb()):
        start = reader.at
        sort = reader.byte()
        if sort == SORT_CORE:
            reader.byte()
        kind = reader.byte()
        number = reader.leb()
        name = ""
        if kind == 0x02:
            reader.leb()
        else:
            name = reader.text()
        yield sort, number if kind == 0x00 else -1, name, reader.content[start : reader.at]


def _exports(reader: Reader) -> Iterator[str]:
    """The names of exported instances."""
    for _ in range(reader.leb()):
        reader.byte()
        name = reader.text()
        sort = reader.byte()
        reader.leb()
        if reader.byte() != 0 or sort != SORT_INSTANCE:
            raise FormError("an export of another form")
        yield name


def _shifted(number: int, content: bytes, first: int) -> bytes:
    """A section beside the replacement, after whose instance all instances have the next number."""
    if number != ALIAS:
        return content
    return vector(
        raw if instance < first else bytes([sort, 0x00]) + leb(instance + 1) + text(name)
        for sort, instance, name, raw in _aliases(Reader(content))
    )


def _instance_type(interface: Interface) -> bytes:
    """The type of an instance of the replacement's interface."""
    out = [b"\x01" + answer for answer in ANSWER_TYPES]
    types = len(ANSWER_TYPES)
    resources: dict[str, int] = {}
    for name in interface.all_types():
        if name in interface.resources():
            bound = b"\x01"
        else:
            out.append(b"\x01\x7d")
            bound = b"\x00" + leb(types)
            types += 1
        out.append(b"\x04\x00" + text(name) + bytes([SORT_TYPE]) + bound)
        resources[name] = types
        types += 1
    for name, signature in interface.functions.items():
        declared = _function_types(name, signature, resources, types)
        types += len(declared)
        out += [b"\x01" + one for one in declared]
        out.append(b"\x04\x00" + text(name) + bytes([SORT_FUNC]) + leb(types - 1))
    return b"\x42" + vector(out)


def _replacement(interfaces: list[Interface]) -> bytes:
    """A component that exports the interfaces: one core module, and for each interface a component that gives its functions their names."""
    functions = [(interface, name, signature) for interface in interfaces for name, signature in interface.functions.items()]
    out = [
        COMPONENT_PREAMBLE,
        section(CORE_MODULE, _module([(name, signature) for _, name, signature in functions])),
        section(CORE_INSTANCE, b"\x01\x00\x00\x00"),
        section(ALIAS, b"\x01\x00\x02\x01\x00" + text("memory")),
        section(TYPE, vector(ANSWER_TYPES)),
    ]
    types, lifted = len(ANSWER_TYPES), 0
    for number, interface in enumerate(interfaces):
        arguments = []
        resources: dict[str, int] = {}
        for name in interface.resources():
            out.append(section(TYPE, b"\x01\x3f\x7f\x00"))
            arguments.append(text(f"type-{name}") + bytes([SORT_TYPE]) + leb(types))
            resources[name] = types
            types += 1
        for name, signature in interface.functions.items():
            declared = _function_types(name, signature, resources, types)
            types += len(declared)
            out.append(section(TYPE, vector(declared)))
            out.append(section(ALIAS, b"\x01\x00\x00\x01\x00" + text(str(lifted))))
            options = b"\x01\x03\x00" if name in _ANSWERS else b"\x00"
            out.append(section(CANON, b"\x01\x00\x00" + leb(lifted) + options + leb(types - 1)))
            arguments.append(text(f"function-{len(arguments)}") + bytes([SORT_FUNC]) + leb(lifted))
            lifted += 1
        out.append(section(COMPONENT, _named(interface)))
        out.append(section(INSTANCE, b"\x01\x00" + leb(number) + vector(arguments)))
    for number, interface in enumerate(interfaces):
        # An export is an instance of its own, after those that are exported.
        out.append(section(EXPORT, b"\x01\x00" + text(interface.name) + bytes([SORT_INSTANCE]) + leb(number) + b"\x00"))
    return b"".join(out)


def _named(interface: Interface) -> bytes:
    """A component that exports what it imports, by the names of the interface. A method may only be exported beside its resource."""
    out = [COMPONENT_PREAMBLE, section(TYPE, vector(ANSWER_TYPES))]
    types = len(ANSWER_TYPES)
    imported: dict[str, int] = {}
    for name in interface.resources():
        out.append(section(IMPORT, b"\x01\x00" + text(f"type-{name}") + bytes([SORT_TYPE, 0x01])))
        imported[name] = types
        types += 1
    for number, (name, signature) in enumerate(interface.functions.items()):
        declared = _function_types(name, signature, imported, types)
        types += len(declared)
        label = text(f"function-{len(imported) + number}")
        out.append(section(TYPE, vector(declared)))
        out.append(section(IMPORT, b"\x01\x00" + label + bytes([SORT_FUNC]) + leb(types - 1)))
    exported: dict[str, int] = {}
    for name in interface.all_types():
        if name not in imported:
            out.append(section(TYPE, b"\x01\x7d"))  # which type it is does not matter: no value of it exists
            types += 1
        out.append(section(EXPORT, b"\x01\x00" + text(name) + bytes([SORT_TYPE]) + leb(imported.get(name, types - 1)) + b"\x00"))
        exported[name] = types
        types += 1
    for number, (name, signature) in enumerate(interface.functions.items()):
        declared = _function_types(name, signature, exported, types)
        types += len(declared)
        out.append(section(TYPE, vector(declared)))
        ascribed = bytes([0x01, SORT_FUNC]) + leb(types - 1)
        # Each export adds a function, after those that are imported.
        out.append(section(EXPORT, b"\x01\x00" + text(name) + bytes([SORT_FUNC]) + leb(number) + ascribed))
    return b"".join(out)


_ANSWERS = {
    "get-directories": (LIST, EMPTY_AT),
    "create-tcp-socket": (RESULT, DENIED_AT),
    "create-udp-socket": (RESULT, DENIED_AT),
    "resolve-addresses": (RESULT, DENIED_AT),
}
"""Functions that answer through memory: the type of the answer, and where it is. The others need a file or a socket and cannot be called."""


def _resource(name: str) -> str:
    """The resource of a method; empty if it is none."""
    return name.removeprefix("[method]").partition(".")[0] if name.startswith("[method]") else ""


def _function_types(name: str, signature: Signature, resources: dict[str, int], types: int) -> list[bytes]:
    """A type that has this form in core modules, after the type that it needs, if there are `types` before them."""
    needed = []
    values = [bytes([VALUE_TYPES[value]]) for value in signature.parameters]
    labels = [text(f"p{number}") for number in range(len(values))]
    if (resource := _resource(name)) != "":
        needed.append(b"\x68" + leb(resources[resource]))
        labels[0], values[0] = text("self"), leb_signed(types)
    if name in _ANSWERS:
        values.pop()  # where the caller wants the answer
        result = b"\x00" + leb(_ANSWERS[name][0])
    elif signature.results:
        result = b"\x00" + bytes([VALUE_TYPES[signature.results[0]]])
    else:
        result = b"\x01\x00"
    declared = b"\x40" + vector(label + value for label, value in zip(labels, values)) + result
    return [*needed, declared]


def _module(functions: list[tuple[str, Signature]]) -> bytes:
    """A core module with the functions by their numbers, and their memory."""
    types, bodies = [], []
    for name, signature in functions:
        if name in _ANSWERS:
            parameters, results = signature.parameters[:-1], bytes([I32])
            code = b"\x41" + leb(_ANSWERS[name][1])
        else:
            parameters, results = signature.parameters, signature.results
            code = b"\x41\x00" if name == "instance-network" else b"\x00"
        types.append(b"\x60" + leb(len(parameters)) + parameters + leb(len(results)) + results)
        body = b"\x00" + code + b"\x0b"
        bodies.append(leb(len(body)) + body)
    exports = [text(str(number)) + b"\x00" + leb(number) for number in range(len(functions))]
    denied = b"\x01\x00\x00\x00\x01"
    return b"".join(
        [
            CORE_PREAMBLE,
            section(1, vector(types)),
            section(3, vector(leb(number) for number in range(len(functions)))),
            section(5, b"\x01\x01\x01\x01"),
            section(7, vector([text("memory") + b"\x02\x00", *exports])),
            section(10, vector(bodies)),
            section(11, b"\x01\x00\x41" + leb(DENIED_AT) + b"\x0b" + leb(len(denied)) + denied),
        ]
    )
