/** A child process of the benchmark and the calls that it answers (its own end is answerParent.ts). */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { builtProgram } from './builtProgram.js'

/** What a child can be asked to do; its script exports the type. */
export type Calls = Record<string, (argument: never) => unknown>

export interface Question {
  readonly id: number
  readonly name: string
  readonly argument: unknown
}

export type Answer = { readonly id: number } & ({ readonly value: unknown } | { readonly error: string })

const isAnswer = (message: unknown): message is Answer => typeof message === 'object' && message !== null && 'id' in message

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

export class Child<C extends Calls> {
  readonly #process: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  #lastId = 0

  /** The process has the flags of the daemon's first line.
   * @param script of bench/children/, without its ending */
  constructor(script: string, execArgv: readonly string[] = []) {
    this.#process = fork(builtProgram(`bench/children/${script}.js`), [], {
      execArgv: [
        '--initial-old-space-size=48',
        '--max-semi-space-size=4',
        ...execArgv,
        ...(process.env['BENCH_EXEC_ARGV']?.split(' ') ?? []),
      ],
      serialization: 'advanced',
    })
    this.#process.on('message', (message) => {
      if (!isAnswer(message)) return
      const waiting = this.#waiting.get(message.id)
      this.#waiting.delete(message.id)
      if ('error' in message) waiting?.reject(new Error(message.error))
      else waiting?.resolve(message.value)
    })
    this.#process.on('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`The process '${script}' ended (${signal ?? code})`))
      this.#waiting.clear()
    })
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  get #running(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null
  }

  call<K extends keyof C & string>(name: K, argument: Parameters<C[K]>[0]): Promise<Awaited<ReturnType<C[K]>>> {
    return new Promise((resolve, reject) => {
      if (!this.#running) return reject(new Error('The process has ended'))
      const id = ++this.#lastId
      // The script's exported type is the contract of both ends, so what comes back is what its call returned.
      this.#waiting.set(id, { resolve: (value) => resolve(value as Awaited<ReturnType<C[K]>>), reject })
      this.#process.send({ id, name, argument } satisfies Question)
    })
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    if (!this.#running) return
    const ended = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await ended
  }

  /** Lets it end by itself, so that a profile or coverage is written; kills it when it does not. */
  async end(): Promise<void> {
    if (!this.#running) return
    const ended = once(this.#process, 'exit')
    if (this.#process.connected) this.#process.disconnect()
    const impatient = setTimeout(() => this.#process.kill('SIGKILL'), 3_000)
    await ended
    clearTimeout(impatient)
  }
}
