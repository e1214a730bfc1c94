/** A client of wazuh-db's stream socket that sends what it is given, and shows each frame that comes. */
import { connect, type Socket } from 'node:net'
import { LengthFrameReader } from '../../../../src/wire/wazuh/lengthFrames.js'

export class WazuhDbClient {
  readonly #socket: Socket
  readonly #frames: string[] = []
  readonly #waiting = new Set<() => void>()
  isClosed = false

  constructor(path: string) {
    const reader = new LengthFrameReader(65_536)
    this.#socket = connect(path)
    this.#socket.on('data', (bytes: Buffer) => {
      reader.append(bytes)
      for (let frame = reader.next(); frame; frame = reader.next()) this.#frames.push(frame.toString())
      this.#wake()
    })
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => {
      this.isClosed = true
      this.#wake()
    })
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  /** Frames that came and were not taken yet. */
  get pending(): number {
    return this.#frames.length
  }

  /** The next frame; undefined when the connection was closed before it. */
  async frame(): Promise<string | undefined> {
    while (this.#frames.length === 0 && !this.isClosed) await new Promise<void>((resolve) => this.#waiting.add(resolve))
    return this.#frames.shift()
  }

  close(): void {
    this.#socket.destroy()
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}
