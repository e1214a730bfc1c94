/** The suite for the ApiBridge port, run on the program under a Python over a stand-in of the framework, and simulated. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'vitest'
import { createApiBridge } from '../../src/platform/manager/apiBridge.js'
import { SimulatedApiBridge } from '../../src/simulation/manager/simulatedApiBridge.js'
import { VirtualClock } from '../../src/simulation/world/virtualClock.js'
import { type ApiBridgeSuite, apiBridgeCases, type FrameworkRequests } from '../../src/testing/compliance/apiBridgeCases.js'
import { isMissing } from '../support/debianProgram.js'
import { addFramework, bridgeScript, standInRequest } from '../support/manager/frameworkHome.js'
import { recordingLog } from '../support/recordingLog.js'
import { settledIn } from '../support/settledIn.js'

const requests: FrameworkRequests = {
  echo: (value) => standInRequest('echo', { value }),
  raise: (code) => standInRequest('fail', { code }),
  hang: () => standInRequest('sleep', { seconds: 600 }),
}

const real = async (): Promise<ApiBridgeSuite> => {
  const home = mkdtempSync(join(tmpdir(), 'muster-bridge-'))
  addFramework(home)
  const bridge = createApiBridge({ home, mode: 'auto', log: recordingLog(), script: bridgeScript, times: { bridgeRestartMsMin: 10 } })
  const { signal } = new AbortController()
  return {
    bridge,
    requests,
    settle: (call) => call,
    kill: async () => {
      const { content } = await bridge.run(standInRequest('process'), signal)
      for await (const chunk of content) process.kill(JSON.parse(Buffer.from(chunk).toString()).pid, 'SIGKILL')
    },
    dispose: async () => rmSync(home, { recursive: true }),
  }
}

const simulated = async (): Promise<ApiBridgeSuite> => {
  const clock = new VirtualClock()
  const bridge = new SimulatedApiBridge()
  bridge.answer = (request) => {
    const { f, f_kwargs } = JSON.parse(request)
    if (f.__callable__.__name__ === 'echo') return { answer: JSON.stringify(f_kwargs.value) }
    return { exception: JSON.stringify({ __wazuh_exception__: { __object__: f_kwargs } }) }
  }
  const port = bridge.port(clock)
  const hangs = Buffer.from(requests.hang()).toString()
  return {
    bridge: {
      close: () => port.close(),
      run: (request, signal) => {
        bridge.delayMs = Buffer.from(request).toString() === hangs ? 600_000 : 5
        return port.run(request, signal)
      },
    },
    requests,
    settle: settledIn(clock),
    kill: () => bridge.end(),
    dispose: async () => undefined,
  }
}

describe.skipIf(isMissing('python3', 'python3'))('the framework under the Python of a manager', () => {
  for (const { run, title } of apiBridgeCases(real)) it(title, run)
})

describe('the simulated framework', () => {
  for (const { run, title } of apiBridgeCases(simulated)) it(title, run)
})
