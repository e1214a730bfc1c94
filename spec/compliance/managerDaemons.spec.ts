/** The suite for the ManagerDaemons port, run on the adapter over daemons that answer at their sockets, and simulated. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'vitest'
import { createManagerDaemons } from '../../src/platform/manager/managerDaemons.js'
import { askedDaemons } from '../../src/ports/manager.js'
import { SimulatedManagerDaemons } from '../../src/simulation/manager/simulatedManagerDaemons.js'
import { VirtualClock } from '../../src/simulation/world/virtualClock.js'
import { type ManagerDaemonsSuite, managerDaemonsCases } from '../../src/testing/compliance/managerDaemonsCases.js'
import { FakeManagerDaemons } from '../support/manager/fakeManagerDaemons.js'
import { settledIn } from '../support/settledIn.js'

const overSockets = async (): Promise<ManagerDaemonsSuite> => {
  const home = mkdtempSync(join(tmpdir(), 'muster-daemons-'))
  const fake = new FakeManagerDaemons(home)
  const start = () => fake.start(...askedDaemons, 'analysis')
  await start()
  return {
    daemons: createManagerDaemons(home),
    answer: (made) => {
      for (const daemon of askedDaemons) fake.answers[daemon] = (message) => made(daemon, message)
    },
    reload: ({ isLoaded, messages }) => {
      fake.answers.analysis = () => JSON.stringify({ error: isLoaded ? 0 : 1, message: 'said', data: messages })
    },
    start,
    stop: () => fake.stop(),
    settle: (call) => call,
    dispose: async () => {
      await fake.stop()
      rmSync(home, { recursive: true })
    },
  }
}

const simulated = async (): Promise<ManagerDaemonsSuite> => {
  const clock = new VirtualClock()
  const daemons = new SimulatedManagerDaemons()
  return {
    daemons: daemons.port(clock),
    answer: (made) => {
      daemons.answer = made
    },
    reload: (says) => {
      daemons.reload = says
    },
    stop: () => {
      daemons.isDown = true
    },
    start: () => {
      daemons.isDown = false
    },
    settle: settledIn(clock),
    dispose: async () => undefined,
  }
}

describe('the daemons of a manager, over their sockets', () => {
  for (const { run, title } of managerDaemonsCases(overSockets)) it(title, run)
})

describe('the daemons of a manager, simulated', () => {
  for (const { run, title } of managerDaemonsCases(simulated)) it(title, run)
})
