/** The suite for the ApiBridge port: what the actors rely on, of the program under the manager's Python, or of the simulated one. */
import assert from 'node:assert/strict'
import type { ApiBridge, CarriedAnswer } from '../../ports/manager.js'
import { type ComplianceCase, casesOf, codeOf } from './complianceCase.js'

/** Requests that the framework of a suite understands. */
export interface FrameworkRequests {
  /** Answered with this text as JSON. */
  readonly echo: (text: string) => Uint8Array
  /** Raises an exception with this number. */
  readonly raise: (code: number) => Uint8Array
  /** Takes longer than any test. */
  readonly hang: () => Uint8Array
}

export interface ApiBridgeSuite {
  readonly bridge: ApiBridge
  readonly requests: FrameworkRequests
  /** The framework ends unexpectedly; it may start again. */
  readonly kill: () => void | Promise<void>
  /** Waits for a call; one in virtual time lets the time pass meanwhile. */
  readonly settle: <T>(call: Promise<T>) => Promise<T>
  readonly dispose: () => Promise<void>
}

const going = new AbortController().signal

const whole = async ({ bytes, content }: CarriedAnswer): Promise<string> => {
  const chunks: Uint8Array[] = []
  for await (const chunk of content) chunks.push(chunk)
  const all = Buffer.concat(chunks)
  assert.equal(all.byteLength, bytes)
  return all.toString()
}

const messageOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => assert.fail('it did not fail'),
    (thrown: unknown) => (thrown instanceof Error ? thrown.message : String(thrown)),
  )

const tests: Readonly<Record<string, (suite: ApiBridgeSuite) => Promise<void>>> = {
  'answers with the length before the answer, short or long': async ({ bridge, requests, settle }) => {
    for (const text of ['', 'short', 'ü', 'long '.repeat(400_000)]) {
      const answer = await settle(bridge.run(requests.echo(text), going))
      assert.equal(JSON.parse(await settle(whole(answer))), text)
    }
  },
  'carries out many at a time, each answered with its own': async ({ bridge, requests, settle }) => {
    const texts = Array.from({ length: 30 }, (_, index) => `text ${index}`)
    const answers = await settle(
      Promise.all(texts.map(async (text) => whole(await bridge.run(requests.echo(text), new AbortController().signal)))),
    )
    assert.deepEqual(
      answers.map((answer): unknown => JSON.parse(answer)),
      texts,
    )
  },
  'fails with the JSON of the exception that the framework raised': async ({ bridge, requests, settle }) => {
    assert.equal(await settle(codeOf(bridge.run(requests.raise(1701), going))), 'managerRefused')
    const message = await settle(messageOf(bridge.run(requests.raise(1701), going)))
    assert.equal(JSON.parse(message).__wazuh_exception__.__object__.code, 1701)
  },
  'ends a request with the reason of its signal, and goes on with others': async ({ bridge, requests, settle }) => {
    const abort = new AbortController()
    const hanging = messageOf(bridge.run(requests.hang(), abort.signal))
    await settle(bridge.run(requests.echo('meanwhile'), going).then(whole))
    abort.abort(new Error('nobody waits'))
    assert.equal(await settle(hanging), 'nobody waits')
    assert.equal(await settle(messageOf(bridge.run(requests.echo('late'), abort.signal))), 'nobody waits')
    assert.equal(await settle(bridge.run(requests.echo('after'), going).then(whole)), '"after"')
  },
  'gives up an answer that is not read to its end': async ({ bridge, requests, settle }) => {
    const { content } = await settle(bridge.run(requests.echo('long '.repeat(400_000)), going))
    for await (const _chunk of content) break
    assert.equal(await settle(bridge.run(requests.echo('after'), going).then(whole)), '"after"')
  },
  'fails what is under way when the framework ends': async ({ bridge, kill, requests, settle }) => {
    await settle(bridge.run(requests.echo('before'), going).then(whole))
    const hanging = codeOf(bridge.run(requests.hang(), going))
    await kill()
    assert.equal(await settle(hanging), 'managerFailed')
  },
  'fails what is under way when it is closed, and what comes later': async ({ bridge, requests, settle }) => {
    await settle(bridge.run(requests.echo('before'), going).then(whole))
    const hanging = codeOf(bridge.run(requests.hang(), going))
    await settle(bridge.close())
    assert.equal(await settle(hanging), 'managerFailed')
    assert.equal(await settle(codeOf(bridge.run(requests.echo('late'), going))), 'aborted')
  },
}

export const apiBridgeCases = (create: () => Promise<ApiBridgeSuite>): readonly ComplianceCase[] =>
  casesOf(
    create,
    async ({ bridge, dispose, settle }) => {
      await settle(bridge.close())
      await dispose()
    },
    tests,
  )
