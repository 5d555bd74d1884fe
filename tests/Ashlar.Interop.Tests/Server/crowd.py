"""A crowd in a process of its own: connections to one portal that say nothing, and as many that begin to log in and stop.

    crowd.py HOST PORT nbd|iscsi|nvme COUNT TARGET

One of each kind in turn, COUNT of each, from several addresses. A half-open login has said the first thing that its protocol has to say
and has heard the answer. Prints a line of JSON when all have come, and another when the server has ended the last of them.
"""
import collections
import errno
import json
import resource
import select
import socket
import struct
import sys
import time

# So many come at a time; those that log in wait for an answer, and all behind them for that.
AT_A_TIME = 64
# Addresses of the loopback that they come from, so that ports do not run out.
SOURCES = 8
KEPT_DESCRIPTORS = 32


def nbd(target):
    """Heard: magic numbers and flags. Said: flags, NBD_OPT_STRUCTURED_REPLY. Heard: its acknowledgement."""
    return [(18, struct.pack('>I', 3) + b'IHAVEOPT' + struct.pack('>II', 8, 0)), (20, b'')]


def iscsi(target):
    """Said: a first Login Request (RFC 7143, 11.12) that stays in the security stage. Heard: the header of the answer."""
    text = b''.join(key + b'\0' for key in (
        b'InitiatorName=iqn.2026-11.io.ashlar:crowd', b'SessionType=Normal', b'TargetName=' + target.encode(), b'AuthMethod=None'))
    header = bytearray(48)
    header[0], header[1] = 0x43, 0x00
    header[4:8] = struct.pack('>I', len(text))
    header[8] = 0x80  # ISID of the random format.
    return [(0, bytes(header) + text + bytes(-len(text) % 4)), (48, b'')]


def nvme(target):
    """Said: ICReq of the transport, version 0. Heard: ICResp."""
    request = bytearray(128)
    request[0], request[2] = 0x00, 128
    request[4:8] = struct.pack('<I', 128)
    return [(0, bytes(request)), (128, b'')]


class Member:
    """One connection, and what it still has to hear before it says what."""

    def __init__(self, connection, turns):
        self.connection = connection
        self.turns = collections.deque(turns)
        self.heard = 0
        self.begun = time.monotonic()
        self.is_connected = False

    def speak(self):
        while self.turns and self.heard >= self.turns[0][0]:
            needed, words = self.turns.popleft()
            self.heard -= needed
            if words:
                self.connection.sendall(words)


class Crowd:
    def __init__(self, host, port, login):
        self.portal, self.login = (host, port), login
        self.poller = select.epoll()
        self.members = {}
        self.coming = set()  # Those that are not through yet.
        self.count = {True: 0, False: 0}  # By whether they log in: those that got so far, ...
        self.refused = {True: 0, False: 0}  # ... and those that did not.
        self.longest = 0.0

    def add(self, number, logs_in):
        connection = socket.socket()
        connection.setblocking(False)
        if self.portal[0].startswith('127.'):
            connection.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
            connection.bind((f'127.0.1.{1 + number % SOURCES}', 0))
        result = connection.connect_ex(self.portal)
        if result not in (0, errno.EINPROGRESS):
            raise OSError(result, errno.errorcode[result])
        member = Member(connection, self.login if logs_in else [])
        member.logs_in = logs_in
        self.members[connection.fileno()] = member
        self.coming.add(member)
        self.poller.register(connection.fileno(), select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP)

    def step(self):
        for number, events in self.poller.poll(0.1):
            member = self.members.get(number)
            if member is None:
                continue
            try:
                ended = not self.serve(member, number, events)
            except OSError:
                ended = True  # Cut off.
            if ended:
                self.end(member, number)

    def serve(self, member, number, events):
        if events & (select.EPOLLHUP | select.EPOLLERR):
            return False
        if not member.is_connected and events & select.EPOLLOUT:
            member.is_connected = True
            self.poller.modify(number, select.EPOLLIN | select.EPOLLRDHUP)
        if events & (select.EPOLLIN | select.EPOLLRDHUP):
            received = member.connection.recv(4096)
            if not received:
                return False
            member.heard += len(received)
        if member.is_connected:
            member.speak()
            if not member.turns and member in self.coming:
                self.coming.discard(member)
                self.count[member.logs_in] += 1
        return True

    def end(self, member, number):
        if member in self.coming:
            self.coming.discard(member)
            self.refused[member.logs_in] += 1
        self.longest = max(self.longest, time.monotonic() - member.begun)
        self.poller.unregister(number)
        member.connection.close()
        del self.members[number]


def main():
    host, port, protocol, count, target = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5]
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    room = most - KEPT_DESCRIPTORS
    is_short = False
    crowd = Crowd(host, port, {'nbd': nbd, 'iscsi': iscsi, 'nvme': nvme}[protocol](target))
    begun = time.monotonic()
    for number in range(2 * count):
        while len(crowd.coming) >= AT_A_TIME or len(crowd.members) >= room:
            is_short |= len(crowd.members) >= room
            crowd.step()
        crowd.add(number, logs_in=number % 2 == 1)
    while crowd.coming:
        crowd.step()
    print(json.dumps({
        'count': count, 'descriptors': most, 'isShort': is_short, 'silent': crowd.count[False], 'halfOpen': crowd.count[True],
        'silentRefused': crowd.refused[False], 'halfOpenRefused': crowd.refused[True], 'open': len(crowd.members),
        'seconds': round(time.monotonic() - begun, 1)}), flush=True)
    while crowd.members:
        crowd.step()
    print(json.dumps({'longestSeconds': round(crowd.longest, 1)}), flush=True)


main()
