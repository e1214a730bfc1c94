/** The program that runs requests in Wazuh's framework, over a stand-in that answers as the real one did: every recorded request, and trouble. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { waitFor } from '../../../examples/demo/waitFor.js'
import { limits } from '../../../src/base/limits.js'
import { createApiBridge } from '../../../src/platform/manager/apiBridge.js'
import type { ApiBridge, CarriedAnswer } from '../../../src/ports/manager.js'
import { isMissing } from '../../support/debianProgram.js'
import { addFramework, bridgeScript, setCase, standInRequest } from '../../support/manager/frameworkHome.js'
import { recordingLog } from '../../support/recordingLog.js'
import { forever } from '../../support/sessionPair.js'

interface Recorded {
  readonly case: string
  readonly command?: string
  readonly request?: string
  readonly executor?: string
  readonly answer?: string
}

const isNoPython = isMissing('python3', 'python3')

const recorded = readFileSync(new URL('../../vectors/wazuh/dapi.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line): Recorded => JSON.parse(line))
  .filter(({ executor }) => executor !== undefined)

const root = mkdtempSync(join(tmpdir(), 'bridge-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const homeOf = (name: string, packages?: string): string => {
  const home = join(root, name)
  mkdirSync(home)
  addFramework(home, packages)
  return home
}

const bridgeOf = (home: string, mode: 'auto' | 'off' = 'auto') => {
  const log = recordingLog()
  return {
    log,
    bridge: createApiBridge({ home, mode, log, script: bridgeScript, times: { bridgeRestartMsMin: 100, bridgeDropMsMax: 300 } }),
  }
}

const whole = async ({ bytes, content }: CarriedAnswer): Promise<string> => {
  const chunks: Uint8Array[] = []
  for await (const chunk of content) chunks.push(chunk)
  const all = Buffer.concat(chunks)
  expect(all.byteLength).toBe(bytes)
  return all.toString()
}

/** Orders of sets in Python change: see the first line of the recording. */
const asSets = (value: unknown, name = ''): unknown => {
  if (Array.isArray(value)) {
    const items = value.map((item) => asSets(item))
    return name === 'select' ? items.map((item) => JSON.stringify(item)).sort() : items
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asSets(item, key)]))
}

const sameJson = (text: string): unknown => asSets(JSON.parse(text))

const internalError = (extra_message: string) => ({
  __wazuh_exception__: {
    __class__: 'WazuhInternalError',
    __object__: {
      ...{ type: 'about:blank', title: 'Wazuh Internal Error', code: 1000, extra_message },
      ...{ extra_remediation: null, cmd_error: false, dapi_errors: {} },
    },
  },
})

describe.skipIf(isNoPython)('every recorded request of the distributed API', () => {
  const bridges = new Map<string, { readonly home: string; readonly bridge: ApiBridge }>()
  beforeAll(() => {
    for (const node of ['m1', 'w1']) {
      const home = homeOf(node)
      bridges.set(node, { home, ...bridgeOf(home) })
    }
  })
  afterAll(async () => {
    for (const { bridge } of bridges.values()) await bridge.close()
  })

  it.each(recorded.map((row, index) => [index, row.case, row] as const))('%d %s', async (_, name, row) => {
    const node = row.executor?.split(' ').at(-1) ?? ''
    const { bridge, home } = bridges.get(node) ?? {}
    if (!bridge || home === undefined) throw new Error(`no node ${node}`)
    setCase(home, node, name)
    const request = row.command === 'dapi_fwd' ? row.request?.slice(row.request.indexOf(' ') + 1) : row.request
    const answer = row.answer ?? ''
    const running = bridge.run(Buffer.from(request ?? ''), forever).then(whole)
    const [, raised, text = ''] = /^RAISED (\w+) (.*)$/s.exec(answer) ?? []
    if (raised === undefined) expect(sameJson(await running)).toEqual(sameJson(answer))
    else {
      const error = await running.then(
        () => undefined,
        (thrown: { code: string; message: string }) => thrown,
      )
      expect(error?.code).toBe('managerRefused')
      const expected = text.startsWith('{') ? JSON.parse(text) : internalError(`${raised}: ${text}`)
      expect(JSON.parse(error?.message ?? '')).toEqual(expected)
    }
  })
})

describe.skipIf(isNoPython)('the API bridge', () => {
  let home = ''
  let { bridge, log } = bridgeOf('')
  beforeAll(() => {
    home = homeOf('trouble')
  })
  const open = (mode: 'auto' | 'off' = 'auto', inHome = home): void => {
    ;({ bridge, log } = bridgeOf(inHome, mode))
  }
  afterEach(() => bridge.close())

  const ask = (name: string, kwargs: object = {}, signal = new AbortController().signal) => bridge.run(standInRequest(name, kwargs), signal)
  const asked = (name: string, kwargs: object = {}, signal?: AbortSignal): Promise<unknown> =>
    ask(name, kwargs, signal)
      .then(whole)
      .then((text): unknown => JSON.parse(text))
  const failed = (promise: Promise<unknown>) =>
    promise.then(
      () => ({ code: 'none', message: '' }),
      ({ code, message }: { code: string; message: string }) => ({ code, message }),
    )
  const processOf = async (): Promise<number> => ((await asked('process')) as { pid: number }).pid
  const isAlive = (pid: number): boolean => {
    try {
      process.kill(pid, 0)
      return true
    } catch {
      return false
    }
  }

  it('runs in the home, with several requests under way: one may wait for another', async () => {
    open()
    const waiting = Array.from({ length: 20 }, () => asked('wait'))
    expect(await asked('process')).toMatchObject({ cwd: home })
    expect(await asked('release')).toBe('released')
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['waited']))
  })

  it('hands out 100 MB as they are read, while other requests are answered', async () => {
    open()
    const chars = 100_000_000
    const { bytes, content } = await ask('large', { chars })
    expect(bytes).toBe(chars + 2)
    expect(await asked('echo', { value: 1 })).toBe(1)
    let count = 0
    let most = 0
    for await (const chunk of content) {
      count += chunk.byteLength
      most = Math.max(most, chunk.byteLength)
      if (count === chunk.byteLength) expect(await asked('echo', { value: 2 })).toBe(2)
    }
    expect([count, most <= limits.streamChunkBytesMax]).toEqual([bytes, true])
  })

  it('drops an answer that nobody reads to its end, and goes on', async () => {
    open()
    for (let turn = 0; turn < 5; turn++) for await (const _chunk of (await ask('large', { chars: 2_000_000 })).content) break
    expect(await asked('echo', { value: [] })).toEqual([])
  })

  it('answers an exception with its JSON, and one that would end the program too', async () => {
    open()
    const { code, message } = await failed(asked('fail', { code: 1701 }))
    expect([code, JSON.parse(message)]).toMatchObject(['managerRefused', { __wazuh_exception__: { __object__: { code: 1701 } } }])
    expect(await failed(asked('leave'))).toEqual({
      code: 'managerRefused',
      message: JSON.stringify(internalError('SystemExit: 7'))
        .replaceAll(/([:,])"/g, '$1 "')
        .replaceAll('":', '": ')
        .replaceAll(/: +/g, ': '),
    })
    for (const name of ['node', 'logger']) {
      const request = Buffer.from(JSON.stringify({ f: 'x', [name]: 'y' }))
      expect(await failed(bridge.run(request, forever))).toMatchObject({
        message: expect.stringContaining(`A request may not have '${name}'`),
      })
    }
  })

  it('ends a request that nobody waits for any more, and fails it with the reason', async () => {
    open()
    await asked('process')
    const abort = new AbortController()
    const sleeping = failed(asked('sleep', { seconds: 600 }, abort.signal))
    const stubborn = failed(asked('stubborn', { seconds: 600 }, abort.signal))
    abort.abort(new Error('enough'))
    expect((await sleeping).message).toBe('enough')
    expect((await stubborn).message).toBe('enough')
    expect(await asked('echo', { value: 3 })).toBe(3)
  })

  it('puts a number of printed lines into the log, and nothing of the arguments', async () => {
    open()
    await asked('say', { text: 'printed \u001b[31m' })
    await asked('say', { text: 'flood', times: 10_000 })
    await bridge.close()
    const lines = log.lines.filter((line) => line.startsWith('warning [Cluster] [API bridge] '))
    expect(lines[0]).toContain('printed \\x1b[31m')
    expect(log.lines.join('\n')).not.toContain('arguments')
    expect(lines.length).toBeLessThanOrEqual(limits.bridgeLinesPerMinuteMax + 1)
    expect(lines.at(-1)).toMatch(/\d+ more lines were left out/)
  })

  it('fails what is under way when it is killed, says so once, and is started again', async () => {
    open()
    const pid = await processOf()
    const sleeping = failed(asked('sleep', { seconds: 600 }))
    process.kill(pid, 'SIGKILL')
    expect(await sleeping).toMatchObject({ code: 'managerFailed', message: expect.stringContaining('was ended by SIGKILL') })
    expect(await processOf()).not.toBe(pid)
    expect(log.lines.filter((line) => line.startsWith('error'))).toHaveLength(1)
  })

  it('ends one that hangs, and fails what else is under way', async () => {
    open()
    await asked('process')
    const abort = new AbortController()
    const blocked = failed(asked('block', { seconds: 600 }, abort.signal))
    const other = failed(asked('echo'))
    await waitFor('The block', () => log.lines.some((line) => line.includes('blocked now')))
    abort.abort(new Error('late'))
    expect((await blocked).message).toBe('late')
    expect(await other).toMatchObject({ code: 'managerFailed', message: expect.stringContaining('hangs: it did not end a request') })
    expect(await asked('echo', { value: 5 })).toBe(5)
  })

  it('ends one that writes what is no frame', async () => {
    open()
    expect(await failed(asked('scribble'))).toMatchObject({
      code: 'managerFailed',
      message: expect.stringContaining('wrote what is no frame'),
    })
    expect(await asked('echo', { value: 4 })).toBe(4)
  })

  it('fails at once, with the last line that it wrote, while it does not come up', async () => {
    const empty = join(root, 'packages')
    mkdirSync(empty)
    open('auto', homeOf('broken', empty))
    const first = await failed(asked('echo'))
    expect(first).toMatchObject({ code: 'managerFailed', message: expect.stringContaining('ended with code 1') })
    expect(log.lines.join('\n')).toContain("The framework of Wazuh cannot be imported: ModuleNotFoundError: No module named 'wazuh'")
    await failed(asked('echo'))
    const startMs = performance.now()
    expect((await failed(asked('echo'))).message).toContain("No module named 'wazuh'")
    expect(performance.now() - startMs).toBeLessThan(500)
  })

  it('is off where it is switched off and where the manager has no interpreter, with a sentence', async () => {
    open('off')
    expect(await failed(asked('echo'))).toMatchObject({ code: 'apiBridgeOff', message: expect.stringContaining('api_bridge') })
    const bare = join(root, 'bare')
    mkdirSync(bare)
    open('auto', bare)
    const python = join(bare, 'framework/python/bin/python3')
    expect(await failed(asked('echo'))).toMatchObject({ code: 'apiBridgeOff', message: expect.stringContaining(`there is no ${python}`) })
    mkdirSync(join(bare, 'framework/python/bin'), { recursive: true })
    writeFileSync(python, 'no program')
    chmodSync(python, 0o757)
    expect(await failed(asked('echo'))).toMatchObject({
      code: 'apiBridgeOff',
      message: expect.stringContaining('is writable by every user'),
    })
    chmodSync(python, 0o640)
    expect(await failed(asked('echo'))).toMatchObject({ code: 'managerFailed', message: expect.stringContaining('could not be started') })
  })

  it('ends with its standard input, even when the framework blocks it', async () => {
    open()
    const pid = await processOf()
    const blocked = failed(asked('block', { seconds: 600 }))
    await bridge.close()
    expect(isAlive(pid)).toBe(false)
    expect((await blocked).code).toBe('managerFailed')
    expect(await failed(asked('echo'))).toMatchObject({ code: 'aborted' })
  })

  it('refuses more requests than it carries out at once', async () => {
    open()
    await asked('process')
    const aborts = Array.from({ length: limits.bridgeRequestsMax + 2 }, () => new AbortController())
    const many = aborts.map(({ signal }) => failed(asked('sleep', { seconds: 600 }, signal)))
    expect((await Promise.race(many)).code).toBe('overloaded')
    for (const abort of aborts) abort.abort(new Error('enough'))
    const codes = (await Promise.all(many)).map(({ code }) => code)
    expect(codes.filter((code) => code === 'overloaded')).toHaveLength(2)
  })
})
