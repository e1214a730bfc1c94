/** The steady state of a listener: 10 000 agents over TCP, each with a keep-alive every 10 s. */
import { startListenerWithAgents } from '../measures/agentsOfListener.js'
import { atMost, type Row } from '../row.js'
import type { Workshop } from '../workshop.js'

const agentCount = 10_000
const beatMs = 10_000
const beats = 3

export const connectedAgents: Row = {
  name: '10 000 connected agents, keep-alive each 10 s',
  target: '≤ 40 % of one core, ≤ 30 KB each',
  run: async (workshop: Workshop) => {
    const count = workshop.scaled(agentCount)
    const { agents, before, listener } = await startListenerWithAgents(workshop, count)
    const started = await listener.call('usage', undefined)
    await agents.call('beat', { overMs: beatMs })
    const from = await listener.call('usage', undefined)
    for (let beat = 0; beat < beats; beat++) await agents.call('beat', { overMs: beatMs })
    const to = await listener.call('usage', undefined)
    const cpuMs = to.cpuMs - from.cpuMs
    return [
      {
        what: 'CPU',
        measured: (cpuMs / (to.atMs - from.atMs)) * 100,
        unit: '%',
        ...atMost(40),
        note: `of one core; ${((cpuMs * 1000) / (beats * count)).toFixed(0)} µs a keep-alive, ${(((started.cpuMs - before.cpuMs) * 1000) / count).toFixed(0)} µs a start-up`,
      },
      {
        what: 'memory of one',
        measured: (to.residentKB - before.residentKB) / count,
        unit: 'KB',
        ...atMost(30),
        note: `${(to.residentKB / 1024).toFixed(0)} MB resident in all with ${to.connected} agents`,
      },
    ]
  },
}
