/** Where rows are measured: temporary directories, in memory where there is room, and child processes. All of it goes at the end. */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Calls, Child } from './child.js'

const inMemory = '/dev/shm'

export class Workshop {
  readonly dir: string
  /** False when the figures contain the time of a real disk. */
  readonly isInMemory: boolean
  readonly #endings = new Set<() => void | Promise<void>>()
  readonly #scale: number
  #places = 0

  /** @param scale above 0, up to 1: see `scaled` */
  constructor(scale = 1) {
    this.#scale = scale
    this.isInMemory = existsSync(inMemory)
    this.dir = join(this.isInMemory ? inMemory : tmpdir(), `muster-bench-${process.pid}-${randomBytes(4).toString('hex')}`)
    mkdirSync(this.dir)
  }

  /** The size that a row should take in place of its own: smaller when one only wants to see that it works. */
  scaled(size: number): number {
    return Math.ceil(size * this.#scale)
  }

  /** A new, empty directory. */
  place(name: string): string {
    this.#places += 1
    const dir = join(this.dir, `${this.#places}-${name}`)
    mkdirSync(dir)
    return dir
  }

  /** A process with hundreds of nodes, which stand for as many machines: it has the young generation of many. */
  childOfMany<C extends Calls>(script: string): Child<C> {
    return this.child<C>(script, ['--max-semi-space-size=32'])
  }

  /** @param execArgv flags of node, e.g. `--expose-gc` */
  child<C extends Calls>(script: string, execArgv: readonly string[] = []): Child<C> {
    const child = new Child<C>(script, execArgv)
    this.atEnd(() => child.end())
    return child
  }

  /** Runs when the row is over, or when the benchmark is interrupted. */
  atEnd(ending: () => void | Promise<void>): void {
    this.#endings.add(ending)
  }

  /** After each row: nothing of it may run on and cost the next one. */
  async tidy(): Promise<void> {
    const endings = [...this.#endings]
    this.#endings.clear()
    await Promise.all(endings.map(async (ending) => ending()))
  }

  async close(): Promise<void> {
    await this.tidy()
    rmSync(this.dir, { recursive: true, force: true })
  }
}

/** A TCP port that is free at the moment. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
