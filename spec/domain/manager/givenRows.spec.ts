/** Which of our table and wazuh-db is right about an agent that is at two nodes within a moment. */
import { describe, expect, it } from 'vitest'
import { isOutdated, type SeenAgent } from '../../../src/domain/manager/givenRows.js'

const second = 1_700_000_000
const here = { node: 'master', nowMs: second * 1_000 + 10_000 }

/** Reported by a worker this many seconds after what wazuh-db has. */
const reported = (afterSeconds: number, status: 'active' | 'disconnected' = 'active'): SeenAgent => ({
  ...{ id: 1, name: 'web', registeredIp: 'any', groups: [], groupHash: '' },
  ...{ status, node: 'w1', seenMs: (second + afterSeconds) * 1_000 },
})

const heldAt = (node_name: string, connection_status: 'active' | 'disconnected' = 'active') => ({
  ...{ id: 1, node_name, connection_status, last_keepalive: second },
})

describe('a report of a worker about an agent that wazuh-db has at another node', () => {
  it('is outdated for two seconds where the agent is connected to the master, and then not', () => {
    const outdated = [-1, 0, 1, 2, 3].map((after) => isOutdated(reported(after), heldAt('master'), here))
    expect(outdated).toEqual([true, true, true, true, false])
  })

  it('is outdated when it is older, and an end within the same second', () => {
    for (const node of ['w2', 'master']) {
      const held = heldAt(node, node === 'master' ? 'disconnected' : 'active')
      expect([-1, 0, 1].map((after) => isOutdated(reported(after), held, here))).toEqual([true, false, false])
    }
    expect(isOutdated(reported(0, 'disconnected'), heldAt('w2'), here)).toBe(true)
    expect(isOutdated(reported(1, 'disconnected'), heldAt('w2'), here)).toBe(false)
  })

  it('is never outdated by a row of its own node, or of nobody', () => {
    for (const node of ['w1', '']) expect(isOutdated(reported(-5), heldAt(node), here)).toBe(false)
  })
})
