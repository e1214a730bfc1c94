/** A program that reads datagrams of a Unix socket, as wazuh-analysisd reads its queue. */
import koffi from 'koffi'

const library = koffi.load(null)
const socket: (family: number, kind: number, protocol: number) => number = library.func('int socket(int, int, int)')
const bind: (socket: number, address: Uint8Array, length: number) => number = library.func('int bind(int, const uint8_t *, uint32_t)')
const receive: (socket: number, bytes: Uint8Array, length: number, flags: number) => number = library.func(
  'intptr_t recv(int, uint8_t *, size_t, int)',
)
const close: (socket: number) => number = library.func('int close(int)')

const dontWait = 0x40

export class LocalReader {
  readonly #socket: number

  constructor(path: string, kind: 'datagrams' | 'streams' = 'datagrams') {
    this.#socket = socket(1, kind === 'datagrams' ? 2 : 1, 0)
    const address = Buffer.concat([new Uint8Array(Uint16Array.of(1).buffer), Buffer.from(path), Buffer.of(0)])
    if (bind(this.#socket, address, address.length) !== 0) throw new Error(`${path} cannot be bound: ${koffi.errno()}`)
  }

  /** All that waits. */
  read(): readonly Buffer[] {
    const datagrams: Buffer[] = []
    const buffer = Buffer.alloc(128 * 1_024)
    for (;;) {
      const length = receive(this.#socket, buffer, buffer.length, dontWait)
      if (length < 0) return datagrams
      datagrams.push(Buffer.from(buffer.subarray(0, length)))
    }
  }

  close(): void {
    close(this.#socket)
  }
}
