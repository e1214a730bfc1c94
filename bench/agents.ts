/** Agents of a large cluster: their lines in client.keys, and the facts that each reports. The same in each run. */
import { createHash } from 'node:crypto'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AgentFacts } from '../src/domain/agents/agent.js'
import type { KeyEntry } from '../src/domain/agents/keyEntry.js'
import { keyLineText } from '../src/domain/agents/keyLine.js'
import { makeHome } from './trees.js'

export const keysPath = 'etc/client.keys'
const keysMode = 0o640

const md5 = (text: string): string => createHash('md5').update(text).digest('hex')
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Agents 1 to `count`. */
export const agentKeys = (count: number): readonly KeyEntry[] =>
  Array.from({ length: count }, (_, index) => {
    const id = index + 1
    return { id, name: `host-${String(id).padStart(6, '0')}.example.net`, ip: 'any', key: sha256(`agent ${id}`) }
  })

/** A home whose client.keys has agents 1 to `count`. */
export const makeHomeOfAgents = (home: string, count: number): string => {
  makeHome(home)
  writeFileSync(
    join(home, keysPath),
    agentKeys(count)
      .map((entry) => `${keyLineText(entry)}\n`)
      .join(''),
  )
  chmodSync(join(home, keysPath), keysMode)
  return home
}

/** @param round each round gives other facts than the round before */
export const factsOf = (id: number, round: string): AgentFacts => ({
  ip: `10.${(id >>> 16) & 255}.${(id >>> 8) & 255}.${id & 255}`,
  osName: 'Ubuntu',
  osVersion: '22.04.4 LTS',
  osPlatform: 'ubuntu',
  osArch: 'x86_64',
  osUname: `Linux |host-${String(id).padStart(6, '0')}.example.net |5.15.0-105-generic |#115-Ubuntu SMP Mon Apr 15 09:52:04 UTC 2024 |x86_64`,
  version: 'Wazuh v4.14.1',
  configSum: md5(`configuration ${round}`),
  mergedSum: md5(`merged ${round} ${id % 50}`),
  labels: `"_agent_version":"${round}"\n"environment":"production"\n"site":"site-${id % 20}"`,
})
