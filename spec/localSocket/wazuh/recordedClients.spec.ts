/**
 * Every recorded client of Wazuh's local socket gets from us what it was content with: its real frames are replayed, and our answers are
 * compared with the stub's by what they mean. Where the stub of a worker answers twice (`Sent request to master node`, then the answer), ours
 * answers once; the real clients take both. Where it answers `sendsync` under a counter of its own, ours has the client's, which the C
 * client takes as well and the Python client needs.
 */
import { describe, expect, it } from 'vitest'
import { ClusterError } from '../../../src/base/errors.js'
import type { LocalNode } from '../../../src/localSocket/wazuh/localNode.js'
import type { CarriedAnswer } from '../../../src/ports/manager.js'
import { type ClusterMessage, clusterHeaderBytes } from '../../../src/wire/wazuh/clusterFrame.js'
import { deferred } from '../../programs/controlWorld.js'
import { type LocalRecording, localRecordings, payloadOf, type RecordedServerFrame } from '../../support/manager/localRecordings.js'
import { carried, localClient, scriptedNode, serveLocal } from './localWorld.js'

/** What is not about our answers: why. */
const leftOut: Readonly<Record<string, string>> = {
  'master: dapi refused at once, plain text': 'we answer errors with exceptions: a plain text is printed as rubbish',
  'err with plain text': 'the same',
  'the server closes without an answer': 'we do not',
  'C: the server closes without an answer': 'we do not',
  'no answer at all': 'we answer',
  'nothing listens on the socket': 'there is no server',
  'no PID file': 'there is no client',
  usage: 'there is no client',
  'status filter without -a': 'there is no client',
  'C: nothing listens': 'there is no server',
  'answer as two frames in one write, cut in the middle of the header': 'what the stub sent is not recorded',
  'C: immediate ok first, the real answer later (as sendasync does)': 'a mistake of the stub that the client does not forgive',
  'C: err in the middle of the text is no error': 'its request is not one that a daemon sends',
  'C: another error command': 'the same',
  'C: an answer of 65 536 bytes': 'the same; see localCommands.spec.ts',
  'C: an answer of 65 537 bytes': 'the same; see localCommands.spec.ts',
}

interface Request {
  readonly counter: number
  readonly command: string
  readonly bytes: Buffer
}

const isAnswer = (command: string): boolean => command.startsWith('ok') || command.startsWith('err ')

const requestOf = (hex: string): Request => {
  const bytes = Buffer.from(hex, 'hex')
  return { bytes, counter: bytes.readUInt32BE(0), command: bytes.toString('latin1', 8, clusterHeaderBytes) }
}

interface Said {
  readonly counter: number
  readonly command: string
  readonly payload: string
}

const valueIn = (text: string): unknown => {
  try {
    const value = JSON.parse(text)
    // The stub had titles of its own; Wazuh's clients do not read them.
    if (value?.__wazuh_exception__) delete value.__wazuh_exception__.__object__.title
    return value
  } catch {
    return text
  }
}

/** What was said to a client that sent these requests, without how it was cut into frames. */
const meaningOf = (said: readonly Said[], counters: ReadonlySet<number>): readonly unknown[] => {
  const meanings: { what: string; value: unknown }[] = []
  let announced = ''
  let content = ''
  for (const { command, counter, payload } of said) {
    const before = meanings.at(-1)
    const isLate = before?.value === 'Sent request to master node'
    const name = command.trim().replace(/ .*$/, '')
    if (counters.has(counter) || name === 'ok') meanings.push({ what: name, value: valueIn(payload) })
    else if (name === 'new_str') [announced, content] = [payload, '']
    else if (name === 'str_upd') content += payload.slice(payload.indexOf(' ') + 1)
    else if (name === 'dapi_res') meanings.push({ what: 'string', value: valueIn(content) })
    else if (isLate) meanings.splice(-1, 1, { what: name === 'dapi_err' ? 'err' : 'ok', value: valueIn(payload) })
    else meanings.push({ what: name, value: valueIn(payload) })
  }
  return [...meanings, ...(announced !== '' && Number(announced) < content.length ? ['longer than announced'] : [])]
}

/** The error that the stub answered, as our node has it. */
const errorOf = ({ payload = '' }: RecordedServerFrame): ClusterError | undefined => {
  const object = JSON.parse(payload).__wazuh_exception__?.__object__
  const codes = { 1000: 'apiBridgeOff', 3020: 'requestTimeout', 3022: 'unknownNode', 3023: 'notConnected' } as const
  return object && new ClusterError(codes[object.code as keyof typeof codes], object.extra_message ? { message: object.extra_message } : {})
}

const clusterOnly = (text: string | undefined): boolean => text?.startsWith('{"__wazuh_exception__":{"__class__":"Wazuh') ?? false

/** A node that says to our server what the stub says to the client of one connection. `release` lets it give what it gives late. */
const nodeOf = (recording: LocalRecording, said: readonly RecordedServerFrame[], released: Promise<void>): LocalNode => {
  const isWorker = recording.state.includes('worker') || /command=sendrreload|command=sendsync/.test(recording.client)
  const failures = said.filter(({ command, payload }) => /^(err|dapi_err) /.test(command) && clusterOnly(payload))
  const failure = failures.map(errorOf)[0]
  const isRefusedAtOnce = failures.some(({ command }) => command.startsWith('err '))
  const pieces = said.filter(({ command }) => command.startsWith('str_upd ')).map((frame) => payloadOf(frame).replace(/^\d+ /, ''))
  const late = async (): Promise<CarriedAnswer> => {
    if (failure && isRefusedAtOnce) throw failure
    await released
    if (failure) throw failure
    return carried(...pieces)
  }
  const plain = scriptedNode()
  return scriptedNode({
    type: isWorker ? 'worker' : 'master',
    query: (query, signal) => {
      if (failure) throw failure
      return plain.query(query, signal)
    },
    rulesetDigests: () => Promise.resolve(JSON.parse(said[0]?.payload ?? '')),
    requests: {
      dapi: late,
      dapiForward: late,
      sendsync: async () => {
        if (failure) throw failure
        return carried(payloadOf(said.at(-1) ?? { conn: 0, from: 'server', counter: 0, command: '' }))
      },
    },
  })
}

/** What the recorded clients answer to requests of the server. */
const answerTo = (command: string): string => {
  if (command === 'new_str') return '3628654942'
  if (command === 'str_upd') return 'String updated'
  return command === 'dapi_res' ? 'Distributed api response received' : 'Response received'
}

/** Sends what the client of one connection sent, answers as it did, and returns what was said to it until it was content. */
const replay = async (recording: LocalRecording, conn: number, meanings: number) => {
  const frames = recording.frames.filter((frame) => frame.conn === conn)
  const requests = frames
    .flatMap((frame) => (frame.from === 'client' ? [requestOf(frame.hex)] : []))
    .filter(({ command }) => !isAnswer(command))
  const said = frames.filter((frame) => frame.from === 'server')
  const release = deferred<void>()
  const { socketPath } = await serveLocal(nodeOf(recording, said, release.promise))
  const client = localClient(socketPath)
  const ours: Said[] = []
  const counters = new Set(requests.map(({ counter }) => counter))
  const take = async (): Promise<ClusterMessage> => {
    const frame = await client.next()
    ours.push({ counter: frame.counter, command: frame.command, payload: frame.payload.toString() })
    return frame
  }
  for (const { bytes } of requests) {
    client.socket.write(bytes)
    expect(counters).toContain((await take()).counter)
  }
  release.resolve()
  while (meaningOf(ours, counters).length < meanings) {
    const { command, counter } = await take()
    expect(counters).not.toContain(counter)
    client.send('ok', counter, answerTo(command))
  }
  return { ours, said, counters }
}

describe('a recorded client is content', () => {
  const replayed = localRecordings.filter(({ name }) => !(name in leftOut))

  it.each(replayed.map((recording) => [recording.name, recording] as const))('%s', async (_, recording) => {
    const connections = new Set(recording.frames.map(({ conn }) => conn))
    expect(connections.size).toBeGreaterThan(0)
    // Each of ten attempts is the same.
    for (const conn of [...connections].slice(0, 3)) {
      const requested = recording.frames.flatMap((frame) =>
        frame.conn === conn && frame.from === 'client' ? [requestOf(frame.hex).counter] : [],
      )
      const stub = recording.frames.flatMap((frame) =>
        frame.conn === conn && frame.from === 'server' ? [{ ...frame, payload: payloadOf(frame) }] : [],
      )
      // Answers of the client have the counters of the stub's own requests.
      const own = new Set(stub.map(({ counter }) => counter).filter((counter) => counter > 1_000 && counter < 11_000))
      const wanted = meaningOf(stub, new Set(requested.filter((counter) => !own.has(counter))))
      const { counters, ours } = await replay(recording, conn, wanted.length)
      expect(meaningOf(ours, counters)).toEqual(wanted)
    }
  })

  it('but for those that are about something else, which are all there', () => {
    const names = localRecordings.map(({ name }) => name)
    expect(Object.keys(leftOut).filter((name) => !names.includes(name))).toEqual([])
    expect(replayed.length).toBeGreaterThan(40)
  })
})
