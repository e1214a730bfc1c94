/** The suite for the ManagerDaemons port: what the actors rely on, of the daemons behind their sockets, or of simulated ones. */
import assert from 'node:assert/strict'
import { type AskedDaemon, askedDaemons, type ManagerDaemons, type RulesetReload } from '../../ports/manager.js'
import { type ComplianceCase, casesOf, codeOf } from './complianceCase.js'

export interface ManagerDaemonsSuite {
  readonly daemons: ManagerDaemons
  /** What they answer from now on. */
  answer(made: (daemon: AskedDaemon, message: string) => string): void
  /** What wazuh-analysisd answers from now on. */
  reload(says: RulesetReload): void
  stop(): void | Promise<void>
  start(): void | Promise<void>
  /** Waits for a call; one in virtual time lets the time pass meanwhile. */
  readonly settle: <T>(call: Promise<T>) => Promise<T>
  readonly dispose: () => Promise<void>
}

const going = (): AbortSignal => new AbortController().signal

const asked = async ({ daemons, settle }: ManagerDaemonsSuite, daemon: AskedDaemon, message: string): Promise<string> =>
  Buffer.from(await settle(daemons.ask(daemon, Buffer.from(message), going()))).toString()

const tests: Readonly<Record<string, (suite: ManagerDaemonsSuite) => Promise<void>>> = {
  'brings each message to its daemon, and the answer back, as they are': async (suite) => {
    suite.answer((daemon, message) => `${daemon}: ${message}`)
    for (const daemon of askedDaemons)
      for (const message of ['{}', '{"a": 1}\n', 'ü']) assert.equal(await asked(suite, daemon, message), `${daemon}: ${message}`)
  },
  'asks many times at once, each answered with its own': async (suite) => {
    suite.answer((_, message) => message)
    const messages = Array.from({ length: 40 }, (_, index) => `message ${index}`)
    const { daemons, settle } = suite
    const answers = await settle(Promise.all(messages.map((message) => daemons.ask('authd', Buffer.from(message), going()))))
    assert.deepEqual(
      answers.map((answer) => Buffer.from(answer).toString()),
      messages,
    )
  },
  'fails with managerFailed while they are down, and works again after it': async (suite) => {
    const { daemons, settle } = suite
    suite.answer(() => 'ok')
    await suite.stop()
    assert.equal(await settle(codeOf(daemons.ask('remoted', Buffer.from('{}'), going()))), 'managerFailed')
    assert.equal(await settle(codeOf(daemons.reloadRuleset(going()))), 'managerFailed')
    await suite.start()
    assert.equal(await asked(suite, 'remoted', '{}'), 'ok')
  },
  'fails with aborted when nobody waits': async ({ daemons, settle }) => {
    const abort = new AbortController()
    const codes = [codeOf(daemons.ask('authd', Buffer.from('{}'), abort.signal)), codeOf(daemons.reloadRuleset(abort.signal))]
    abort.abort()
    codes.push(codeOf(daemons.ask('authd', Buffer.from('{}'), abort.signal)))
    assert.deepEqual(await settle(Promise.all(codes)), ['aborted', 'aborted', 'aborted'])
  },
  'says what came of a reload of the rules': async ({ daemons, reload, settle }) => {
    for (const says of [
      { isLoaded: true, messages: [] },
      { isLoaded: true, messages: ['a warning'] },
      { isLoaded: false, messages: ['an error', 'another'] },
    ]) {
      reload(says)
      assert.deepEqual(await settle(daemons.reloadRuleset(going())), says)
    }
  },
}

export const managerDaemonsCases = (create: () => Promise<ManagerDaemonsSuite>): readonly ComplianceCase[] =>
  casesOf(create, ({ dispose }) => dispose(), tests)
