# Carries out requests of Wazuh's distributed API for Muster, in Wazuh's own framework.
#
# SPDX-License-Identifier: GPL-2.0-only
#
# This program is free software; you can redistribute it and/or modify it under the terms of version 2 of the GNU General
# Public License as published by the Free Software Foundation (https://www.gnu.org/licenses/old-licenses/gpl-2.0.txt).
# It is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY; without even the implied warranty of
# MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE. See the GNU General Public License for more details.
#
# It is a program of its own: it imports the framework of Wazuh, which has this licence, and so has this file. The rest of
# Muster has the Apache License 2.0; it starts this program and talks to it over pipes, and neither imports the other.
#
# A frame is the number of a request (4 bytes), a kind (1 byte), a length (4 bytes), all big endian, and that many bytes.
# An answer is kept here and goes out a chunk at a time, each when it is asked for. The end of standard input ends the
# program, whatever it is doing.

import asyncio
import json
import logging
import os
import signal
import struct
import sys
import threading

HEADER = struct.Struct('>IBI')
LENGTH = struct.Struct('>Q')
RUN, MORE, DROP = 1, 2, 3
READY, ANSWER, EXCEPTION, CHUNK, GONE = 16, 17, 18, 19, 20
CHUNK_BYTES = 256 * 1024
# Of all answers that are kept.
KEPT_ANSWERS = 2


class Bridge:
    """The requests that are under way, and the answers that were not taken yet."""

    def __init__(self, framework, output, answer_bytes_max):
        self.framework = framework
        self.output = output
        self.answer_bytes_max = answer_bytes_max
        self.tasks = {}
        self.dropped = set()
        self.answers = {}
        self.kept_bytes = 0

    def on_frame(self, number, kind, payload):
        if kind == RUN:
            task = asyncio.get_running_loop().create_task(self.run(number, payload))
            self.tasks[number] = task
            task.add_done_callback(lambda _: self.on_end(number))
        elif kind == MORE:
            self.send_chunk(number)
        elif kind == DROP:
            self.drop(number)

    async def run(self, number, request):
        try:
            kind, answer = ANSWER, await self.framework.answer(request)
            if len(answer) > min(self.answer_bytes_max, KEPT_ANSWERS * self.answer_bytes_max - self.kept_bytes):
                raise OverflowError(f'The answer has {len(answer)} bytes, which is too much')
        except (Exception, SystemExit) as error:
            kind, answer = EXCEPTION, self.framework.exception(error)
        if number in self.dropped:
            return
        self.answers[number] = memoryview(answer)
        self.kept_bytes += len(answer)
        self.send(number, kind, LENGTH.pack(len(answer)))
        self.send_chunk(number)

    def on_end(self, number):
        del self.tasks[number]
        if number in self.dropped:
            self.dropped.remove(number)
            self.send(number, GONE)

    def drop(self, number):
        if number in self.tasks:
            self.dropped.add(number)
            self.tasks[number].cancel()
            return
        self.kept_bytes -= len(self.answers.pop(number, b''))
        self.send(number, GONE)

    def send_chunk(self, number):
        rest = self.answers.pop(number, None)
        if not rest:
            return
        chunk, rest = rest[:CHUNK_BYTES], rest[CHUNK_BYTES:]
        self.kept_bytes -= len(chunk)
        if rest:
            self.answers[number] = rest
        self.send(number, CHUNK, chunk)

    def send(self, number, kind, payload=b''):
        self.output.write(HEADER.pack(number, kind, len(payload)))
        self.output.write(payload)
        self.output.flush()


class Framework:
    """Wazuh's own code, as its cluster daemon uses it."""

    def __init__(self):
        from wazuh.core import exception
        from wazuh.core.cluster import common
        from wazuh.core.cluster.dapi import dapi

        self.exceptions = exception
        self.common = common
        self.dapi = dapi
        self.logger = logging.getLogger('wazuh')

    async def answer(self, text):
        request = json.loads(text, object_hook=self.common.as_wazuh_object)
        # It uses the local socket for what it must forward as long as it has no node of its own.
        given = [name for name in ('logger', 'node') if name in request]
        if given:
            raise TypeError(f"A request may not have '{given[0]}'")
        result = await self.dapi.DistributedAPI(**request, logger=self.logger).distribute_function()
        return self.encoded(result)

    def exception(self, error):
        if not isinstance(error, self.exceptions.WazuhException):
            error = self.exceptions.WazuhInternalError(1000, extra_message=f'{type(error).__name__}: {error}'[:4096])
        return self.encoded(error)

    def encoded(self, value):
        return json.dumps(value, cls=self.common.WazuhJSONEncoder).encode()


def read_frames(take):
    """In a thread of its own, so that the end of the pipe is seen whatever the framework does."""
    while True:
        header = sys.stdin.buffer.read(HEADER.size)
        if len(header) < HEADER.size:
            os._exit(0)
        number, kind, length = HEADER.unpack(header)
        payload = sys.stdin.buffer.read(length)
        if len(payload) < length:
            os._exit(0)
        take(number, kind, payload)


async def serve(output, answer_bytes_max, framework, connect):
    bridge = Bridge(framework, output, answer_bytes_max)
    loop = asyncio.get_running_loop()
    connect(lambda *frame: loop.call_soon_threadsafe(bridge.on_frame, *frame))
    bridge.send(0, READY)
    await asyncio.Event().wait()


def main():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Whatever the framework prints belongs into the log: only frames go to what was standard output.
    output = os.fdopen(os.dup(1), 'wb')
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    # Not at `debug`: Wazuh writes the arguments of requests there.
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format='%(levelname)s: %(message)s')
    receivers = []
    threading.Thread(target=read_frames, args=(lambda *frame: receivers[0](*frame),), daemon=True).start()
    try:
        framework = Framework()
    except (Exception, SystemExit) as error:
        print(f'The framework of Wazuh cannot be imported: {type(error).__name__}: {error}', file=sys.stderr, flush=True)
        os._exit(1)
    asyncio.run(serve(output, int(sys.argv[1]), framework, receivers.append))


if __name__ == '__main__':
    main()
