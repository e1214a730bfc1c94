/** The rule that decides between two reports on an agent, and nothing else. */
import { disconnections, newerPresence, type Presence, presenceStatuses } from '../../src/domain/agents/agent.js'
import { SeededRandom } from '../../src/simulation/world/seededRandom.js'
import { atLeast, type Row } from '../row.js'
import { systemMs } from '../systemClock.js'

const pairs = 100_000
const rounds = 20
const baseMs = 1_700_000_000_000

const presences = (random: SeededRandom): readonly Presence[] => {
  const below = (count: number): number => Math.floor(random.fraction() * count)
  return Array.from({ length: pairs }, (_, id) => {
    // Few different times, so that every part of the order decides sometimes.
    const seenMs = baseMs + 1000 * below(3)
    const status = presenceStatuses[below(presenceStatuses.length)] ?? 'pending'
    const isDisconnected = status === 'disconnected'
    return {
      id,
      seenMs,
      epochMs: baseMs - 1000 * below(3),
      status,
      node: `worker-${below(3)}`,
      disconnectedMs: isDisconnected ? seenMs + 1000 * below(3) : 0,
      disconnection: isDisconnected ? (disconnections[1 + below(disconnections.length - 1)] ?? 'none') : 'none',
    }
  })
}

export const mergeRule: Row = {
  name: 'merge rule, one core',
  target: '≥ 1 000 000 records/s',
  run: () => {
    const random = new SeededRandom('merge rule')
    let kept = presences(random)
    const received = Array.from({ length: rounds }, () => presences(random))
    const startMs = systemMs()
    for (const round of received) kept = kept.map((before, index) => newerPresence(before, round[index] ?? before, baseMs + 60_000))
    const seconds = (systemMs() - startMs) / 1000
    return Promise.resolve([
      {
        what: '',
        measured: (pairs * rounds) / seconds,
        unit: '/s',
        ...atLeast(1_000_000),
        wazuh: '–',
        note: `presences of few different times, so that every part of the order decides; ${(pairs * rounds) / 1e6} million in ${seconds.toFixed(2)} s`,
      },
    ])
  },
}
