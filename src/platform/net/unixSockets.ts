/** The few calls of the C library that a Unix socket of datagrams needs: Node has no such sockets. Linux's numbers. */
import { closeSync, openSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import koffi from 'koffi'

const familyUnix = 1
const kindDatagram = 2
const closeOnExec = 0o2000000
const socketLevel = 1
const sendBufferOption = 7
const dontWait = 0x40
const noSignal = 0x4000
/** Of `sun_path`, with the NUL at its end. */
const pathBytesMax = 108

const library = koffi.load(null)
const socket: (family: number, kind: number, protocol: number) => number = library.func('int socket(int, int, int)')
const connect: (socket: number, address: Uint8Array, length: number) => number = library.func('int connect(int, const uint8_t *, uint32_t)')
const setOption: (socket: number, level: number, option: number, value: Int32Array, length: number) => number = library.func(
  'int setsockopt(int, int, int, const int *, uint32_t)',
)
const send: (socket: number, bytes: Uint8Array, length: number, flags: number) => number = library.func(
  'intptr_t send(int, const uint8_t *, size_t, int)',
)
const close: (socket: number) => number = library.func('int close(int)')

/** The name of what the last call failed with. */
const failure = (): string => {
  const errno = koffi.errno()
  for (const [name, number] of Object.entries(koffi.os.errno)) if (number === errno) return name
  return String(errno)
}

/** The family is a number of the machine's own order. */
const addressOf = (path: string): Uint8Array =>
  Buffer.concat([new Uint8Array(Uint16Array.of(familyUnix).buffer), Buffer.from(path), Buffer.of(0)])

/** A path that is too long for an address is reached through its directory. */
const withShortPath = <T>(path: string, use: (path: string) => T): T => {
  if (Buffer.byteLength(path) < pathBytesMax) return use(path)
  const directory = openSync(dirname(path), 'r')
  try {
    return use(`/proc/self/fd/${directory}/${basename(path)}`)
  } finally {
    closeSync(directory)
  }
}

export type UnixSend = 'sent' | string

/** A connected socket of datagrams. */
export interface UnixDatagramSocket {
  /** `sent`, or the name of the error. Never waits. */
  send(bytes: Uint8Array): UnixSend
  close(): void
}

/** Returns the name of the error when it cannot be connected, for example ENOENT. */
export const connectUnixDatagrams = (path: string, sendBufferBytes: number): UnixDatagramSocket | string => {
  const descriptor = socket(familyUnix, kindDatagram | closeOnExec, 0)
  if (descriptor < 0) return failure()
  const connected = withShortPath(path, (short) => {
    const address = addressOf(short)
    return connect(descriptor, address, address.length) === 0 ? undefined : failure()
  })
  if (connected !== undefined) {
    close(descriptor)
    return connected
  }
  setOption(descriptor, socketLevel, sendBufferOption, Int32Array.of(sendBufferBytes), Int32Array.BYTES_PER_ELEMENT)
  return {
    send: (bytes) => (send(descriptor, bytes, bytes.length, dontWait | noSignal) < 0 ? failure() : 'sent'),
    close: () => {
      close(descriptor)
    },
  }
}
