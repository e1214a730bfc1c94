/** A process of agents that enrol over TLS, as agent-auth does: a connection each, one line, one answer. */
import { connect, createSecureContext } from 'node:tls'
import { answerParent } from '../answerParent.js'
import { systemMs } from '../systemClock.js'

export interface EnrolAtPort {
  readonly port: number
  /** What their names begin with. */
  readonly prefix: string
  readonly inFlight: number
  readonly seconds: number
}

export interface Enrolled {
  readonly count: number
  /** Of each, from the dial to the key, in milliseconds. */
  readonly took: readonly number[]
  /** From the first dial to the last key, and when that was. */
  readonly seconds: number
  readonly atMs: number
  /** Processor time of all of them together. */
  readonly cpuMs: number
}

/** Of all: making one costs Node as much as a handshake, and an agent has one. */
const secureContext = createSecureContext()

const enrol = (port: number, name: string): Promise<void> =>
  new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect({ host: '127.0.0.1', port, secureContext, rejectUnauthorized: false }, () => socket.write(`OSSEC A:'${name}'\n`))
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      answer += text
    })
    socket.on('error', reject)
    socket.on('close', () => {
      if (answer.startsWith("OSSEC K:'")) resolve()
      else reject(new Error(`'${name}' was answered '${answer}'`))
    })
  })

const calls = {
  enrol: async ({ inFlight, port, prefix, seconds }: EnrolAtPort): Promise<Enrolled> => {
    const startMs = systemMs()
    const before = process.cpuUsage()
    const took: number[] = []
    let next = 0
    const one = async (): Promise<void> => {
      while (systemMs() - startMs < seconds * 1_000) {
        const askedMs = systemMs()
        await enrol(port, `${prefix}-${next++}`)
        took.push(systemMs() - askedMs)
      }
    }
    await Promise.all(Array.from({ length: inFlight }, one))
    const atMs = systemMs()
    const { system, user } = process.cpuUsage(before)
    return { count: took.length, took, seconds: (atMs - startMs) / 1_000, atMs, cpuMs: (system + user) / 1_000 }
  },
}

export type EnrollersCalls = typeof calls

answerParent(calls)
