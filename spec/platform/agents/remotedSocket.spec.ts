/** wazuh-remoted by its socket: a real Unix socket of datagrams that a program reads as remoted does, slowly or not at all. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRemoted } from '../../../src/platform/agents/remotedSocket.js'
import { LocalReader } from '../../support/manager/localReader.js'

const home = mkdtempSync(join(tmpdir(), 'muster-remoted-'))
const path = join(home, 'queue/alerts/ar')

beforeAll(() => mkdirSync(join(home, 'queue/alerts'), { recursive: true }))
afterAll(() => rmSync(home, { recursive: true, force: true }))

describe('wazuh-remoted', () => {
  it('is reported when it does not run', async () => {
    await expect(createRemoted(home).reconnect([1])).rejects.toMatchObject({
      code: 'requestFailed',
      message: 'wazuh-remoted takes no messages at queue/alerts/ar: it does not run',
    })
    expect(await createRemoted(home).reconnect([])).toBe(0)
  })

  it('gets one message for each agent, as Wazuh writes it, however few it holds at a time', async () => {
    const reader = new LocalReader(path)
    const taken: string[] = []
    const reading = setInterval(() => taken.push(...reader.read().map(String)), 1)
    const ids = Array.from({ length: 1_000 }, (_, index) => index + 1)
    expect(await createRemoted(home).reconnect(ids)).toBe(1_000)
    clearInterval(reading)
    taken.push(...reader.read().map(String))
    reader.close()
    expect(taken[0]).toBe('(msg_to_agent) [] N!S 001 force_reconnect')
    expect(taken).toEqual(ids.map((id) => `(msg_to_agent) [] N!S ${String(id).padStart(3, '0')} force_reconnect`))
  })
})
