import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AgentReport } from '../../../src/domain/agents/agentReport.js'
import { ReportQueue } from '../../../src/domain/listener/reportQueue.js'

const ids = fc.integer({ min: 1, max: 5 })
const reports: fc.Arbitrary<AgentReport> = fc.oneof(
  fc.record({ id: ids, kind: fc.constantFrom('startup' as const, 'keepAlive' as const, 'shutdown' as const, 'lost' as const) }),
  fc.record({ id: ids, kind: fc.constant('keepAlive' as const), facts: fc.record({ version: fc.string({ maxLength: 3 }) }) }),
)
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('add' as const), report: reports }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constantFrom('taken' as const, 'failed' as const), max: fc.integer({ min: 1, max: 3 }) }),
    },
  ),
  { maxLength: 60 },
)

describe('a queue of reports', () => {
  it('hands on the newest of each agent, with facts that were not handed on while the agent is there', () =>
    fc.assert(
      fc.property(steps, (all) => {
        const queue = new ReportQueue()
        const newest = new Map<number, AgentReport>()
        for (const step of all)
          if (step.kind === 'add') {
            queue.add(step.report)
            const { facts } = newest.get(step.report.id) ?? {}
            const isThere = step.report.kind === 'startup' || step.report.kind === 'keepAlive'
            newest.set(step.report.id, isThere && facts && !step.report.facts ? { ...step.report, facts } : step.report)
          } else {
            const taken = queue.take(step.max)
            for (const report of taken) expect(report).toEqual(newest.get(report.id))
            if (step.kind === 'failed') queue.putBack(taken)
            else for (const { id } of taken) newest.delete(id)
          }
        expect(queue.size).toBe(newest.size)
        expect([...queue.take(100)].sort((a, b) => a.id - b.id)).toEqual([...newest.values()].sort((a, b) => a.id - b.id))
      }),
    ))

  it('forgets what is put back when something newer came meanwhile', () => {
    const queue = new ReportQueue()
    queue.add({ id: 1, kind: 'keepAlive', facts: { version: 'a' } })
    const taken = queue.take(1)
    queue.add({ id: 1, kind: 'lost' })
    queue.putBack(taken)
    expect(queue.take(2)).toEqual([{ id: 1, kind: 'lost' }])
  })
})
