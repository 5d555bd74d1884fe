"""What the NBD protocol promises, case by case: by libnbd, and by bytes where that library says nothing wrong.

Usage: cases.py HOST PORT. The volume "disk" has 64 MiB and the snapshots "one" and "two"; the first block was written between them.
Prints a row of docs/conformance.md for each case.
"""
import errno
import re
import socket
import struct
import sys

import nbd

HOST, PORT = sys.argv[1], int(sys.argv[2])
SIZE = 64 << 20
MIB = 1 << 20
DIRTY = "ashlar:dirty-since:one"

OPT_EXPORT_NAME, OPT_ABORT, OPT_LIST, OPT_STARTTLS, OPT_INFO, OPT_GO = 1, 2, 3, 5, 6, 7
OPT_STRUCTURED, OPT_LIST_META, OPT_SET_META, OPT_EXTENDED = 8, 9, 10, 11
ACK, META = 1, 4
UNSUP, POLICY, INVALID, UNKNOWN, TOO_BIG, EXT_HEADER_REQD = [(1 << 31) + n for n in (1, 2, 3, 6, 9, 10)]
READ, WRITE, DISC, FLUSH, TRIM, CACHE, ZEROES, STATUS = range(8)
CODES = {errno.EPERM: 1, errno.EINVAL: 22, errno.ENOSPC: 28, errno.EOVERFLOW: 75}


# ---- by libnbd

def connect(export="disk", structured=True, contexts=(), strict=False, go=True):
    handle = nbd.NBD()
    handle.set_export_name(export)
    handle.set_request_structured_replies(structured)
    for context in contexts:
        handle.add_meta_context(context)
    if not strict:
        handle.set_strict_mode(0)
    handle.set_opt_mode(True)
    handle.connect_tcp(HOST, str(PORT))
    if go:
        handle.opt_go()
    return handle


def fails(number, call):
    try:
        call()
    except nbd.Error as error:
        assert error.errnum == number, f"{error.errno} instead of {errno.errorcode[number]}"
        return
    raise AssertionError(f"no error instead of {errno.errorcode[number]}")


def extents(handle, offset, length, flags=0):
    found = {}

    def extent(context, start, entries, _):
        assert start == offset
        found[context] = list(zip(entries[::2], entries[1::2]))

    handle.block_status(length, offset, extent, flags)
    return found


# ---- by bytes

class Raw:
    def __init__(self, flags=3):
        self.socket = socket.create_connection((HOST, PORT), timeout=20)
        assert self.take(18) == b"NBDMAGICIHAVEOPT\0\3"
        self.socket.sendall(struct.pack(">I", flags))

    def take(self, count):
        taken = b""
        while len(taken) < count:
            part = self.socket.recv(count - len(taken))
            assert part, f"cut off after {len(taken)} of {count} bytes"
            taken += part
        return taken

    def ask(self, option, data=b""):
        self.socket.sendall(struct.pack(">8sII", b"IHAVEOPT", option, len(data)) + data)
        answers = []
        while not answers or answers[-1][0] in (2, 3, META):
            magic, same, kind, length = struct.unpack(">QIII", self.take(20))
            assert (magic, same) == (0x3E889045565A9, option)
            answers.append((kind, self.take(length)))
        return answers

    def code(self, option, data=b""):
        return self.ask(option, data)[-1][0]

    def go(self, export="disk"):
        assert self.code(OPT_GO, string(export) + b"\0\0") == ACK
        return self

    def call(self, command, offset, length, flags=0, payload=b""):
        self.socket.sendall(struct.pack(">IHHQQI", 0x25609513, flags, command, 7, offset, length) + payload)
        magic, error, cookie = struct.unpack(">IIQ", self.take(16))
        assert (magic, cookie) == (0x67446698, 7)
        return error

    def is_cut_off(self):
        try:
            while self.socket.recv(1 << 16):
                pass
        except ConnectionResetError:
            pass
        return True


def string(text):
    return struct.pack(">I", len(text)) + text.encode()


def contexts_of(export, *queries):
    return string(export) + struct.pack(">I", len(queries)) + b"".join(map(string, queries))


# ---- the handshake

def list_names_the_volumes_and_no_snapshots():
    found = []
    handle = connect(go=False)
    handle.opt_list(lambda name, description: found.append(name))
    assert "disk" in found and not any("@" in name for name in found), found
    handle.opt_abort()


def info_tells_size_and_abilities_and_the_handshake_goes_on():
    handle = connect(go=False)
    handle.opt_info()
    assert handle.get_size() == SIZE
    assert handle.can_flush() and handle.can_fua() and handle.can_trim() and handle.can_zero() and handle.can_cache()
    assert handle.can_multi_conn() and handle.can_df() and handle.can_fast_zero() and not handle.is_read_only()
    assert handle.get_block_size(nbd.SIZE_MINIMUM) == 1 and handle.get_block_size(nbd.SIZE_PREFERRED) == 4096
    assert handle.get_block_size(nbd.SIZE_MAXIMUM) == 32 * MIB
    handle.opt_go()
    assert handle.pread(512, 0)


def go_tells_the_name_and_the_description():
    handle = nbd.NBD()
    handle.set_full_info(True)
    handle.set_opt_mode(True)
    handle.set_export_name("disk")
    handle.connect_tcp(HOST, str(PORT))
    handle.opt_go()
    assert handle.get_canonical_export_name() == "disk" and handle.get_export_description() == "volume main/disk"


def an_export_that_is_not_there_is_refused():
    handle = connect("none", go=False)
    fails(errno.ENOENT, handle.opt_go)
    handle.set_export_name("disk")
    handle.opt_go()


def a_snapshot_is_opened_read_only_by_its_name():
    assert connect("disk@one").is_read_only()


def export_name_opens_with_and_without_padding():
    for flags, length in ((1, 134), (3, 10)):
        raw = Raw(flags)
        raw.socket.sendall(struct.pack(">8sII4s", b"IHAVEOPT", OPT_EXPORT_NAME, 4, b"disk"))
        assert struct.unpack(">Q", raw.take(length)[:8])[0] == SIZE
        assert raw.call(FLUSH, 0, 0) == 0


def export_name_of_what_is_not_there_is_cut_off():
    raw = Raw()
    raw.socket.sendall(struct.pack(">8sII4s", b"IHAVEOPT", OPT_EXPORT_NAME, 4, b"none"))
    assert raw.is_cut_off()


def abort_is_acknowledged():
    raw = Raw()
    assert raw.code(OPT_ABORT) == ACK and raw.is_cut_off()


def an_unknown_option_is_refused_and_the_handshake_goes_on():
    raw = Raw()
    assert raw.code(99, b"data") == UNSUP
    raw.go()


def options_without_data_that_have_some_are_refused():
    raw = Raw()
    assert [raw.code(option, b"x") for option in (OPT_LIST, OPT_STARTTLS, OPT_STRUCTURED, OPT_EXTENDED)] == [INVALID] * 4
    raw.go()


def malformed_options_are_refused():
    raw = Raw()
    for data in (b"", b"\0\0\0\4dis", string("disk"), string("disk") + b"\0\2\0\0", string("x" * 4097) + b"\0\0", string("a\0b") + b"\0\0"):
        assert raw.code(OPT_INFO, data) == INVALID, data[:20]
    raw.go()


def an_option_of_more_than_64_kib_is_read_off_and_refused():
    raw = Raw()
    assert raw.code(OPT_INFO, bytes(70_000)) == TOO_BIG
    raw.go()


def starttls_is_refused_where_it_is_not_configured():
    raw = Raw()
    assert raw.code(OPT_STARTTLS) == POLICY
    raw.go()


def unknown_flags_of_a_client_are_cut_off():
    assert Raw(1 << 7).is_cut_off()


def contexts_before_structured_replies_are_refused():
    raw = Raw()
    for option in (OPT_LIST_META, OPT_SET_META):
        assert raw.code(option, contexts_of("disk", "base:allocation")) == INVALID
    raw.go()


def contexts_of_an_export_that_is_not_there_are_refused():
    raw = Raw()
    assert raw.code(OPT_STRUCTURED) == ACK
    assert raw.code(OPT_SET_META, contexts_of("none", "base:allocation")) == UNKNOWN


def contexts_are_listed_all_by_namespace_and_by_name():
    def listed(*queries):
        found = []
        handle = connect(contexts=queries, go=False)
        handle.opt_list_meta_context(found.append)
        return found
    mine = [DIRTY, "ashlar:dirty-since:two"]
    assert listed() == ["base:allocation"] + mine
    assert listed("base:") == ["base:allocation"] and listed("ashlar:") == mine and listed("ashlar:dirty-since:") == mine
    assert listed(DIRTY) == [DIRTY] and listed("qemu:dirty-bitmap:x") == []


def a_wildcard_selects_nothing():
    raw = Raw()
    assert raw.code(OPT_STRUCTURED) == ACK
    assert raw.ask(OPT_SET_META, contexts_of("disk", "base:", "ashlar:")) == [(ACK, b"")]


def extended_headers_are_taken_and_not_given_up_again():
    raw = Raw()
    assert raw.code(OPT_EXTENDED) == ACK and raw.code(OPT_STRUCTURED) == EXT_HEADER_REQD
    raw.go()
    raw.socket.sendall(struct.pack(">IHHQQQ", 0x21E41C71, 0, TRIM, 7, 4096, SIZE - 4096))
    magic, flags, kind, cookie, offset, length = struct.unpack(">IHHQQQ", raw.take(32))
    assert (magic, flags, kind, cookie, offset, length) == (0x6E8A278C, 1, 0, 7, 4096, 0)


# ---- commands

def what_is_written_is_read_in_any_bytes():
    for structured in (True, False):
        handle = connect(structured=structured)
        for offset, length in ((0, 1), (511, 2), (4095, 4098), (MIB - 1, 3 * MIB + 2), (SIZE - 1, 1)):
            data = bytes((offset + i * 7) % 251 for i in range(min(length, 5000))).ljust(length, b"z")
            handle.pwrite(data, offset)
            assert handle.pread(length, offset) == data


def reads_may_be_had_in_chunks_or_whole():
    handle = connect()
    handle.pwrite(b"a" * MIB, 8 * MIB)
    handle.trim(MIB, 9 * MIB)
    for flags in (0, nbd.CMD_FLAG_DF):
        kinds = []
        data = handle.pread_structured(2 * MIB, 8 * MIB, lambda part, offset, kind, error: kinds.append(kind), flags)
        assert data == b"a" * MIB + bytes(MIB)
        assert kinds == [nbd.READ_DATA] if flags else nbd.READ_HOLE in kinds


def fua_is_taken_by_every_command():
    handle = connect(contexts=["base:allocation"])
    fua = nbd.CMD_FLAG_FUA
    handle.pwrite(b"x" * 4096, 0, fua)
    handle.zero(4096, 0, fua)
    handle.trim(4096, 0, fua)
    handle.flush(fua)
    handle.cache(4096, 0, fua)
    handle.pread(4096, 0, fua)
    extents(handle, 0, 4096, fua)


def zeros_are_zeros_with_and_without_a_hole():
    handle = connect(contexts=["base:allocation"])
    for flags, kind in ((0, 3), (nbd.CMD_FLAG_NO_HOLE, 2)):
        handle.pwrite(b"x" * 65536, 16 * MIB)
        handle.zero(65536, 16 * MIB, flags)
        assert handle.pread(65536, 16 * MIB) == bytes(65536)
        assert extents(handle, 16 * MIB, 65536)["base:allocation"] == [(65536, kind)]


def fast_zeros_are_zeros_or_enotsup():
    handle = connect()
    handle.pwrite(b"x" * 65536, 17 * MIB)
    try:
        handle.zero(65536, 17 * MIB, nbd.CMD_FLAG_FAST_ZERO)
        assert handle.pread(65536, 17 * MIB) == bytes(65536)
    except nbd.Error as error:
        assert error.errnum == errno.ENOTSUP


def trimmed_blocks_read_as_zeros():
    handle = connect()
    handle.pwrite(b"x" * 65536, 18 * MIB)
    handle.trim(65536, 18 * MIB)
    assert handle.pread(65536, 18 * MIB) == bytes(65536)


def status_tells_data_and_holes_and_no_more_than_one_where_that_is_asked_for():
    handle = connect(contexts=["base:allocation"])
    handle.pwrite(b"x" * 65536, 20 * MIB)
    handle.trim(2 * MIB, 20 * MIB + 65536)
    found = extents(handle, 20 * MIB, MIB)["base:allocation"]
    assert found == [(65536, 0), (MIB - 65536, 3)]
    assert extents(handle, 20 * MIB, MIB, nbd.CMD_FLAG_REQ_ONE)["base:allocation"] == [(65536, 0)]


def what_has_changed_since_a_snapshot_is_told_beside_what_is_allocated():
    handle = connect("disk@two", contexts=["base:allocation", DIRTY])
    found = extents(handle, 0, MIB)
    assert found[DIRTY] == [(4096, 1), (MIB - 4096, 0)] and found["base:allocation"]


def a_flush_over_one_connection_is_for_all():
    one, two = connect(), connect()
    one.pwrite(b"y" * 4096, 24 * MIB)
    two.flush()
    assert two.pread(4096, 24 * MIB) == b"y" * 4096


def many_requests_are_under_way_at_a_time():
    handle = connect()
    buffers, done = [nbd.Buffer(4096) for _ in range(200)], []
    for i in range(200):
        handle.aio_pwrite(nbd.Buffer.from_bytearray(bytearray([i]) * 4096), 28 * MIB + i * 4096, lambda error: done.append(error) or 1)
    while len(done) < 200:
        handle.poll(-1)
    for i, buffer in enumerate(buffers):
        handle.aio_pread(buffer, 28 * MIB + i * 4096, lambda error: done.append(error) or 1)
    while len(done) < 400:
        handle.poll(-1)
    assert all(buffer.to_bytearray() == bytearray([i]) * 4096 for i, buffer in enumerate(buffers))


def disc_is_obeyed():
    raw = Raw().go()
    raw.socket.sendall(struct.pack(">IHHQQI", 0x25609513, 0, DISC, 7, 0, 0))
    assert raw.is_cut_off()


# ---- errors of commands

def beyond_the_end_writes_have_no_space_and_others_are_invalid():
    handle = connect(contexts=["base:allocation"])
    for offset, length in ((SIZE, 1), (SIZE - 1, 2), (1 << 62, 4096)):
        fails(errno.ENOSPC, lambda: handle.pwrite(bytes(length), offset))
        fails(errno.ENOSPC, lambda: handle.zero(length, offset))
        fails(errno.EINVAL, lambda: handle.pread(length, offset))
        fails(errno.EINVAL, lambda: handle.trim(length, offset))
        fails(errno.EINVAL, lambda: handle.cache(length, offset))
        fails(errno.EINVAL, lambda: extents(handle, offset, length))
    assert handle.pread(1, SIZE - 1)


def a_sum_that_is_more_than_64_bits_is_beyond_the_end():
    raw = Raw().go()
    assert raw.call(READ, (1 << 64) - 512, 1024) == CODES[errno.EINVAL]
    assert raw.call(ZEROES, (1 << 64) - 1, 1) == CODES[errno.ENOSPC]


def what_is_read_only_refuses_changes_and_takes_flushes():
    handle = connect("disk@one")
    fails(errno.EPERM, lambda: handle.pwrite(b"x", 0))
    fails(errno.EPERM, lambda: handle.zero(4096, 0))
    fails(errno.EPERM, lambda: handle.trim(4096, 0))
    handle.flush()
    assert handle.pread(1, 0)


def more_than_32_mib_at_a_time_are_refused():
    raw = Raw().go()
    assert raw.call(READ, 0, 32 * MIB + 1) == CODES[errno.EOVERFLOW]
    assert raw.call(WRITE, 0, 32 * MIB + 1, payload=bytes(32 * MIB + 1)) == CODES[errno.EINVAL]
    assert raw.call(ZEROES, 0, SIZE) == 0  # No data travel.
    raw.socket.sendall(struct.pack(">IHHQQI", 0x25609513, 0, WRITE, 7, 0, 65 * MIB))
    assert raw.is_cut_off()


def an_unknown_command_is_invalid():
    raw = Raw().go()
    assert raw.call(99, 0, 512) == CODES[errno.EINVAL] and raw.call(FLUSH, 0, 0) == 0


def flags_that_do_not_belong_are_invalid():
    raw = Raw().go()
    for command, flags in (
            (READ, 1 << 2), (READ, 1 << 1), (READ, 1 << 5), (READ, 1 << 15), (FLUSH, 1 << 4), (TRIM, 1 << 1), (CACHE, 1 << 3)):
        assert raw.call(command, 0, 0 if command == FLUSH else 512, flags) == CODES[errno.EINVAL], (command, flags)
    assert raw.call(WRITE, 0, 512, 1 << 1, bytes(512)) == CODES[errno.EINVAL] and raw.call(FLUSH, 0, 0) == 0


def a_flush_of_a_range_is_invalid():
    raw = Raw().go()
    assert raw.call(FLUSH, 512, 0) == raw.call(FLUSH, 0, 512) == CODES[errno.EINVAL]


def status_without_a_context_is_invalid():
    raw = Raw().go()
    assert raw.call(STATUS, 0, 512) == CODES[errno.EINVAL]
    handle = connect(contexts=["base:allocation"])
    fails(errno.EINVAL, lambda: extents(handle, 0, 0))


def requests_of_no_bytes_do_nothing():
    raw = Raw().go()
    for command in (READ, TRIM, CACHE, ZEROES, WRITE):
        assert raw.call(command, 4096, 0) == 0


def a_wrong_magic_number_is_cut_off():
    raw = Raw().go()
    raw.socket.sendall(b"GET / HTTP/1.1\r\nHost: storage\r\n\r\n")
    assert raw.is_cut_off()
    raw = Raw()
    raw.socket.sendall(b"NOTANOPT" + bytes(8))
    assert raw.is_cut_off()


def an_error_is_told_in_words_to_who_understands_chunks():
    raw = Raw()
    assert raw.code(OPT_STRUCTURED) == ACK
    raw.go()
    raw.socket.sendall(struct.pack(">IHHQQI", 0x25609513, 0, READ, 7, SIZE, 512))
    magic, flags, kind, cookie, length = struct.unpack(">IHHQI", raw.take(20))
    error, words = struct.unpack(">IH", raw.take(6))
    assert (magic, flags, kind, cookie, error) == (0x668E33EF, 1, 0x8001, 7, 22)
    assert length == 6 + words and raw.take(words)


HELPERS = {"connect", "fails", "extents", "string", "contexts_of"}
failed = False
for name, case in list(globals().items()):
    if not callable(case) or getattr(case, "__module__", None) != "__main__" or isinstance(case, type) or name in HELPERS:
        continue
    outcome, remark = "pass", ""
    try:
        case()
    except Exception as error:  # Whatever it is, it is this case's.
        outcome, remark, failed = "fail", re.sub(r"\s+", " ", f"{type(error).__name__}: {error}"), True
    client = "bytes" if "Raw" in case.__code__.co_names else "libnbd"
    print(f"| {client} | {name.replace('_', ' ')} | {outcome} | {remark} |", flush=True)
sys.exit(1 if failed else 0)
