/** The master asks each worker what is wrong with its configuration; what one node does not say keeps no other from saying it. */
import { describe, expect, it } from 'vitest'
import type { AnswerLine } from '../../src/domain/queries/answerLine.js'
import { SimulatedCluster } from '../../src/simulation/cluster.js'

const { signal } = new AbortController()

describe('the nodes of a simulated cluster', () => {
  it('say what is wrong with their configuration, asked for at any of them', async () => {
    const cluster = new SimulatedCluster({ seed: 1, nodes: 3 })
    cluster.startAll()
    await cluster.clock.advance(5_000)
    const ask = async (name: string, nodes?: readonly string[]) => {
      const lines: AnswerLine[] = []
      const asking = (async () => {
        for await (const line of cluster.node(name).running?.query({ kind: 'nodeReports', ...(nodes && { nodes }) }, signal) ?? [])
          lines.push(line)
      })()
      await cluster.clock.advance(20_000)
      await asking
      return lines.flatMap((line): readonly unknown[] => {
        if (line.kind === 'cluster') return line.unknownNodes
        return line.kind === 'nodeReport' ? [[line.node, line.report?.mistakes ?? line.failure?.number]] : []
      })
    }
    cluster.node('w2').mistakes.push('<port> is "80"', 'x'.repeat(5_000), ...Array.from({ length: 500 }, () => 'y'))
    const ofW2 = ['<port> is "80"', 'x'.repeat(1_024), ...Array.from({ length: 98 }, () => 'y')]
    const all = [
      ['master', []],
      ['w1', []],
      ['w2', ofW2],
    ]
    expect(await ask('master')).toEqual(all)
    expect(await ask('w1')).toEqual(all)
    expect(await ask('w2', ['w1', 'w7'])).toEqual(['w7', ['w1', []]])
    cluster.freeze('w1')
    expect(await ask('w2')).toEqual([
      ['master', []],
      ['w1', 3020],
      ['w2', ofW2],
    ])
    cluster.thaw('w1')
    await cluster.stopAll()
    expect(cluster.violations).toEqual([])
  })

  it('show the last warnings and errors of their logs, the newest first, at any of them', async () => {
    const cluster = new SimulatedCluster({ seed: 2, nodes: 3 })
    cluster.startAll()
    await cluster.clock.advance(5_000)
    cluster.crash('w2', 'process')
    await cluster.clock.advance(200_000)
    const ask = async (name: string, whole: boolean) => {
      const found: AnswerLine[] = []
      const asking = (async () => {
        for await (const line of cluster.node(name).running?.query({ kind: 'nodeReports', whole }, signal) ?? []) found.push(line)
      })()
      await cluster.clock.advance(20_000)
      await asking
      return found.flatMap((line) => (line.kind === 'nodeReport' ? [[line.node, line.report?.lines]] : []))
    }
    const shown = await ask('w1', true)
    expect(shown).toMatchObject([
      ['master', [{ level: 'error', text: expect.stringMatching(/^\[Master\] \[Main\] .*w2/) }]],
      ['w1', []],
    ])
    expect(await ask('w1', false)).toEqual([
      ['master', undefined],
      ['w1', undefined],
    ])
    await cluster.stopAll()
  })
})
