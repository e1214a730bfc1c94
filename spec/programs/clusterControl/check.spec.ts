/** `cluster_control --check`: its exit codes, its one line, and what becomes of hostile texts in it. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClusterError } from '../../../src/base/errors.js'
import { checkedNode, type Finding } from '../../../src/domain/cluster/monitoring/nodeHealth.js'
import type { AnswerLine } from '../../../src/domain/queries/answerLine.js'
import { runControl } from '../../../src/programs/clusterControl/controlCommand.js'
import { anyFigures, wellMaster, wellWorker, wellWorkerNode } from '../../support/figuresArbitraries.js'
import { always, serve, temporaryHome } from '../controlWorld.js'
import { ranProgram } from '../ranProgram.js'

const check = (home: string, ...more: readonly string[]) => ranProgram(runControl, ['--check', '--home', home, ...more], {})

const lines = (...checked: readonly ReturnType<typeof checkedNode>[]): readonly AnswerLine[] => [
  { kind: 'cluster', name: 'wazuh', unknownNodes: [] },
  ...checked.map((one) => ({ kind: 'checked' as const, checked: one })),
  { kind: 'end' },
]

const answered = async (...answer: readonly AnswerLine[]) => (await serve(always(...answer))).home

const found = (severity: Finding['severity'], says: string) => ({
  node: 'm',
  findings: [{ check: 'any', severity, says }],
  counts: { workers_known: 3 },
})

describe('cluster_control --check', () => {
  it('says in one line what is well, with numbers to draw, and ends with 0', async () => {
    const home = await answered(...lines(checkedNode(wellMaster(wellWorker('w1')))))
    expect(await check(home)).toEqual({
      code: 0,
      out:
        'MUSTER OK - master: It takes workers in; master: 120 files to keep the same; master: 1 of 1 worker connected' +
        ' | workers_known=1 workers_connected=1 files_pending=0 files_failed=0 files=120 agents_active=7\n',
      err: '',
    })
  })

  it('ends with 1 for a warning and 2 for what is critical, the worst first', async () => {
    const warned = await check(await answered(...lines(found('warning', 'a little'))))
    expect([warned.code, warned.out]).toEqual([1, 'MUSTER WARNING - m: a little | workers_known=3\n'])
    const both = await check(await answered(...lines(found('warning', 'a little'), found('critical', 'a lot'))))
    expect([both.code, both.out]).toEqual([2, 'MUSTER CRITICAL - m: a lot; m: a little | workers_known=3\n'])
  })

  it('calls a daemon that does not run critical, and one that breaks off', async () => {
    const down = await check(temporaryHome())
    expect([down.code, down.out, down.err]).toEqual([2, 'MUSTER CRITICAL - wazuh-clusterd does not run on this node\n', ''])
    const { home } = await serve(async function* () {
      yield { kind: 'checked', checked: checkedNode(wellWorkerNode) }
      throw new ClusterError('requestTimeout')
    })
    const broken = await check(home)
    expect([broken.code, broken.out.split(' | ')[0]]).toEqual([2, 'MUSTER CRITICAL - The peer did not answer in time'])
  })

  it('prints the same as JSON, with the same exit code', async () => {
    const { code, out } = await check(await answered(...lines(found('critical', 'a lot'))), '--json')
    expect(code).toBe(2)
    expect(JSON.parse(out)).toEqual({
      status: 'CRITICAL',
      exit_code: 2,
      says: 'm: a lot',
      findings: [{ node: 'm', check: 'any', severity: 'critical', says: 'a lot' }],
      counts: { workers_known: 3 },
    })
  })

  it('is one line of visible characters, with one separator, whatever peers say', async () => {
    let figures = wellMaster()
    const { home } = await serve(async function* () {
      yield* lines(checkedNode(figures))
    })
    await fc.assert(
      fc.asyncProperty(anyFigures, async (any) => {
        figures = any
        const { code, out } = await check(home)
        expect(out).toMatch(/^MUSTER (OK|WARNING|CRITICAL) - [^|\p{Cc}\p{Cf}]* \| [a-z_0-9= ]+\n$/u)
        expect(['OK', 'WARNING', 'CRITICAL'].indexOf(out.split(' ')[1] ?? '')).toBe(code)
      }),
      { numRuns: 30 },
    )
  })

  it('goes with no other question, and with no nodes', async () => {
    const wrong = async (...argv: readonly string[]) => (await ranProgram(runControl, argv, {})).err
    expect(await wrong('--check', '-l')).toBe(
      'ERROR: Wrong arguments: only one of -l, -i, -f, -a, --check, --drain, --ready, --remove and -u can be given.\n',
    )
    expect(await wrong('--check', '-fn', 'm')).toBe('ERROR: Wrong arguments: -fn goes with -l, -i, -f and -a only.\n')
  })
})
