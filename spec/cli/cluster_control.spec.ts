/** The command as an operator meets it: arguments in, text and an exit code out, a real socket between. */
import { Readable, Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { ClusterError } from '../../src/base/errors.js'
import type { AnswerLine } from '../../src/domain/queries/answerLine.js'
import type { NodeView } from '../../src/domain/queries/clusterAnswer.js'
import type { ClusterQuery } from '../../src/domain/queries/clusterQuery.js'
import type { ControlRequest } from '../../src/domain/queries/controlRequest.js'
import type { Answer } from '../../src/localSocket/controlConnection.js'
import { runControl } from '../../src/programs/clusterControl/controlCommand.js'
import { AgentWorld, agent } from '../programs/agentWorld.js'
import { deferred, serve, temporaryHome } from '../programs/controlWorld.js'
import { noInput, type Ran, ranProgram, sink } from '../programs/ranProgram.js'

const run = (argv: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> => ranProgram(runControl, argv, env)

const nodes: readonly NodeView[] = [
  { name: 'w.2', type: 'worker', version: '4.8.0', address: '172.22.0.4' },
  { name: 'm', type: 'master', version: '4.8.0', address: 'wazuh-master' },
]

const noAgents = { count: 0, idDigits: 3, nameChars: 0, ipChars: 0, statusChars: 0, versionChars: 0, nodeChars: 0 }

/** Of the node `w.2`, which is to be something else. */
const stating = (asked: ControlRequest[], outcome: Partial<Extract<AnswerLine, { readonly kind: 'nodeState' }>> = {}): Answer =>
  async function* (query): AsyncGenerator<AnswerLine> {
    asked.push(query)
    yield { kind: 'cluster', name: 'c', unknownNodes: [] }
    if (query.kind !== 'setNodeState') return
    if (query.node !== 'w.2') throw new ClusterError('unknownNode', { message: `Unknown node ID: ${query.node}` })
    yield { kind: 'nodeState', node: query.node, state: query.state, isChanged: true, reach: 'reached', othersReady: 1, ...outcome }
    yield { kind: 'end' }
  }

/** Answers as a master would, and keeps what it was asked. */
const master = (asked: ControlRequest[] = []): Answer =>
  async function* (query): AsyncGenerator<AnswerLine> {
    asked.push(query)
    const asks = ('nodes' in query && query.nodes) || undefined
    const wanted = nodes.filter(({ name }) => asks?.includes(name) ?? true)
    yield { kind: 'cluster', name: 'c', unknownNodes: (asks ?? []).filter((name) => nodes.every((node) => node.name !== name)) }
    if (query.kind === 'agents') yield { kind: 'agentsShape', shape: noAgents }
    for (const node of wanted) {
      if (query.kind === 'nodes') yield { kind: 'node', node }
      else if (query.kind === 'health')
        yield { kind: 'health', node: { ...node, activeAgents: 0, ...(node.type === 'worker' ? { worker: { integrityFree: true } } : {}) } }
      else if (query.kind === 'files' && node.type === 'worker')
        yield { kind: 'filesOf', summary: { node: node.name, inSync: true, files: 3, pending: 0, failed: 0, failuresLeftOut: 0 } }
    }
    yield { kind: 'end' }
  }

describe('cluster_control', () => {
  it('asks what its options say, by their short and long names', async () => {
    const asked: ControlRequest[] = []
    const { home } = await serve(master(asked))
    const cases: readonly (readonly [readonly string[], ClusterQuery])[] = [
      [['-l'], { kind: 'nodes' }],
      [['--list-nodes', '--filter-node', 'm'], { kind: 'nodes', nodes: ['m'] }],
      [['-fn', 'm', 'w.2', '-l'], { kind: 'nodes', nodes: ['m', 'w.2'] }],
      [['-l', '-fn=m'], { kind: 'nodes', nodes: ['m'] }],
      [['-l', '-fn', 'm', '-fn', 'w.2'], { kind: 'nodes', nodes: ['m', 'w.2'] }],
      [['-i'], { kind: 'health' }],
      [['-i', '-fn', 'm'], { kind: 'health', nodes: ['m'] }],
      [['--health', 'more', '-fn', 'm'], { kind: 'health', nodes: ['m'] }],
      [['-f'], { kind: 'files', all: false }],
      [['--files', '--json', '-fn', 'w.2'], { kind: 'files', all: true, nodes: ['w.2'] }],
      [['-a'], { kind: 'agents' }],
      [['--list-agents', '--json', '-fn', 'w.2'], { kind: 'agents', nodes: ['w.2'] }],
      [['-a', '-fs', 'active', 'never_connected', '-fn', 'm'], { kind: 'agents', nodes: ['m'], statuses: ['active', 'never_connected'] }],
      [['-fs=pending', '-a'], { kind: 'agents', statuses: ['pending'] }],
    ]
    for (const [argv, query] of cases) {
      expect(await run([...argv, '--home', home])).toMatchObject({ code: 0, err: '' })
      expect(asked.pop()).toEqual(query)
    }
  })

  it('prints each answer, as text and as JSON', async () => {
    const { home } = await serve(master())
    const env = { WAZUH_PATH: home }
    expect((await run(['-l'], env)).out).toBe(
      'NAME  TYPE    VERSION  ADDRESS       \nm     master  4.8.0    wazuh-master  \nw.2   worker  4.8.0    172.22.0.4    \n',
    )
    expect(JSON.parse((await run(['-l', '--json'], env)).out)).toMatchObject({ total: 2 })
    expect((await run(['-i'], env)).out).toMatch(
      /^Cluster name: c\n\nLast completed synchronization for connected nodes \(1\):\n {4}w\.2 \(/,
    )
    expect((await run(['-i', 'more'], env)).out).toMatch(/^Cluster name: c\n\nConnected nodes \(1\):\n\n {4}m \(wazuh-master\)\n/)
    expect((await run(['-i', 'MORE'], env)).out).toContain('Status:')
    for (const argv of [
      ['-i', '--json'],
      ['-i', 'more', '--json'],
    ])
      expect(JSON.parse((await run(argv, env)).out)).toMatchObject({ n_connected_nodes: 1 })
    expect((await run(['-f'], env)).out).toBe('All 3 files of w.2 are in sync.\n')
    expect(JSON.parse((await run(['-f', '--json'], env)).out)).toMatchObject({ nodes: [{ name: 'w.2', items: [] }] })
  })

  it('lists the agents of any node, as text and as JSON', async () => {
    const world = new AgentWorld([agent(0, { status: 'active', node: 'm' }), agent(1, { status: 'active', node: 'w.2' }), agent(2)])
    const { home } = await serve(world.answer)
    const env = { WAZUH_PATH: home }
    const table = await run(['-a', '-fn', 'w.2', '-fs', 'active'], env)
    expect(table).toEqual({
      code: 0,
      out: 'ID   NAME     IP   STATUS  VERSION  NODE NAME  \n001  agent-1  any  active  unknown  w.2        \n',
      err: '',
    })
    expect(JSON.parse((await run(['-a', '--json'], env)).out)).toMatchObject({ total: 3 })
  })

  it.each([
    ['--drain', 'drained', "Do you want to drain the node 'w.2'? [y/N]: ", "Node 'w.2' is drained.\n"],
    ['--ready', 'ready', "Do you want to make the node 'w.2' ready? [y/N]: ", "Node 'w.2' is ready.\n"],
    ['--remove', 'removed', "Do you want to remove the node 'w.2' from the cluster? [y/N]: ", "Node 'w.2' is removed from the cluster.\n"],
  ] as const)('%s asks first, and does nothing without a yes', async (option, state, question, done) => {
    const asked: ControlRequest[] = []
    const { home } = await serve(stating(asked))
    const argv = [option, 'w.2', '--home', home]
    const trial = { kind: 'setNodeState', node: 'w.2', state, isTrial: true }
    expect(await run(argv)).toEqual({ code: 1, out: `${question}Cancelled.\n`, err: '' })
    expect(await ranProgram(runControl, argv, {}, Readable.from(['no\n']))).toMatchObject({ code: 1 })
    expect(asked.splice(0)).toEqual([trial, trial])
    expect(await ranProgram(runControl, argv, {}, Readable.from(['y\n']))).toEqual({ code: 0, out: `${question}${done}`, err: '' })
    expect(asked.splice(0)).toEqual([trial, { ...trial, isTrial: false }])
    expect(await run([...argv, '-q'])).toEqual({ code: 0, out: done, err: '' })
    expect(asked.splice(0)).toEqual([{ ...trial, isTrial: false }])
    expect(JSON.parse((await run([...argv, '-q', '--json'])).out)).toEqual({
      node: 'w.2',
      state,
      changed: true,
      connected: true,
      able: true,
    })
    expect(await run([option, 'w.3', '--home', home])).toEqual({ code: 1, out: '', err: 'ERROR: Error 3022 - Unknown node ID: w.3.\n' })
  })

  it('says before it drains the last node that is ready, and after it what is not so yet', async () => {
    const said = async (outcome: Parameters<typeof stating>[1], ...options: readonly string[]): Promise<string> => {
      const { home } = await serve(stating([], outcome))
      return (await ranProgram(runControl, ['--drain', 'w.2', '--home', home, ...options], {}, Readable.from(['y\n']))).out
    }
    expect(await said({ othersReady: 0 })).toContain('No other node is ready: its agents would have nowhere to go. Do you want to drain')
    expect(await said({ reach: 'notConnected' }, '-q')).toBe("Node 'w.2' is drained. It is not connected: it learns this when it is.\n")
    expect(await said({ reach: 'notAble' }, '-q')).toBe("Node 'w.2' is drained. Its version of Muster lets its agents stay.\n")
    expect(await said({ isChanged: false })).toBe("Node 'w.2' is drained already.\n")
  })

  it('takes --home before WAZUH_PATH', async () => {
    const { home } = await serve(master())
    expect(await run(['-l', '--home', home], { WAZUH_PATH: temporaryHome() })).toMatchObject({ code: 0 })
  })

  it('without a daemon says so and exits with 1', async () => {
    for (const argv of [['-l'], ['-i'], ['-f'], ['-a']])
      expect(await run(argv, { WAZUH_PATH: '/no/home' })).toEqual({
        code: 1,
        out: '',
        err: 'ERROR: Cluster is not running. No daemon answers on the home /no/home.\n',
      })
  })

  it('names the nodes that do not exist, and prints nothing else', async () => {
    const { home } = await serve(master())
    for (const flags of [['-l'], ['-i'], ['-i', 'more'], ['-f'], ['-a']]) {
      const asked = [...flags, '--home', home, '-fn', 'm', 'x', 'y\n']
      expect(await run(asked)).toEqual({ code: 1, out: '', err: 'ERROR: Error 3022 - Unknown node ID: x, y\\n.\n' })
      const { code, err, out } = await run([...asked, '--json'])
      expect({ code, err, answer: JSON.parse(out) as unknown }).toEqual({
        code: 1,
        err: '',
        answer: { error: 3022, message: 'Unknown node ID: x, y\n.' },
      })
    }
  })

  it.each([
    [['-l', '-i'], /^ERROR: Wrong arguments: only one of /],
    [['-f', '-a'], /^ERROR: Wrong arguments: only one of /],
    [['-i', 'less'], /^ERROR: Wrong arguments: -i takes nothing or 'more', not 'less'\.\n$/],
    [['-l', '-fs', 'active'], /^ERROR: Wrong arguments: -fs goes with -a only\.\n$/],
    [['-l', '-fn'], /^ERROR: Wrong arguments: option .* argument missing\.\n$/],
    [['-fn', 'w', '-l', '-fn', '-d'], /^ERROR: Wrong arguments: --filter-node takes a value, and '-d' looks like an option/],
    [['-l', 'more'], /^ERROR: Wrong arguments: too many arguments/],
    [['--nonsense'], /^ERROR: Wrong arguments: unknown option '--nonsense'\.\n$/],
    [
      ['-a', '-fs', 'active', 'gone'],
      /^ERROR: Wrong arguments: 'gone' is not a status of an agent: -fs takes active, disconnected, never_connected, pending\.\n$/,
    ],
    [['-a', '-fs'], /^ERROR: Wrong arguments: option .* argument missing\.\n$/],
    [['-fn', 'm'], /^ERROR: Wrong arguments: -fn and --json go with -l, -i, -f and -a only\.\n$/],
    [['--drain', 'w', '--ready', 'w'], /^ERROR: Wrong arguments: only one of /],
    [['--drain', 'w', '-l'], /^ERROR: Wrong arguments: only one of /],
    [['--drain'], /^ERROR: Wrong arguments: option .* argument missing\.\n$/],
    [['--remove', '-q'], /^ERROR: Wrong arguments: --remove takes a value, and '-q' looks like an option/],
    [['--remove', 'w', '-fn', 'w'], /^ERROR: Wrong arguments: -fn goes with -l, -i, -f and -a only\.\n$/],
    [['-l', '-q'], /^ERROR: Wrong arguments: -q goes with --drain, --ready and --remove only\.\n$/],
    [['-u', '-fn', 'm'], /^ERROR: Wrong arguments: -fn and --json go with -l, -i, -f and -a only\.\n$/],
  ])('with %j says what is wrong and exits with 1', async (argv, sentence) => {
    const { code, out, err } = await run(argv)
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(sentence)
  })

  it('without options prints the help and exits with 0, as Wazuh does', async () => {
    const help = await run(['-h'])
    expect(help).toMatchObject({ code: 0, err: '', out: expect.stringContaining('\nExamples:\n') })
    for (const argv of [[], ['-d'], ['--home', '/nowhere']]) expect(await run(argv)).toEqual(help)
  })

  it('shows an example of each command with -h and -u', async () => {
    for (const flag of ['-h', '--help', '-u', '--usage']) {
      const { code, out, err } = await run([flag])
      expect({ code, err }).toEqual({ code: 0, err: '' })
      for (const example of ['-l ', '-l -fn ', '-i ', '-i more ', '-f ', '-f -fn worker-1 --json', '-a ', '-d '])
        expect(out).toContain(`cluster_control ${example}`)
    }
    expect((await run(['-h'])).out).toContain('-fn, --filter-node <node...>')
  })

  it('says what the daemon refuses in one sentence, with a stack only when asked', async () => {
    const { home } = await serve(async function* () {
      yield { kind: 'cluster', name: 'c', unknownNodes: [] }
      throw new ClusterError('notConnected', { message: 'This worker is not connected to its master\u001b[2J\nroot#' })
    })
    const sentence = 'ERROR: Error 3023 - This worker is not connected to its master\\x1b[2J\\nroot#.\n'
    expect(await run(['-l', '--home', home])).toEqual({ code: 1, out: '', err: sentence })
    const { err } = await run(['-l', '-d', '--home', home])
    expect(err).toContain(sentence)
    expect(err).toMatch(/^DEBUG: Asking .*muster\.sock: \{"kind":"nodes"\}$/m)
    expect(err).toMatch(/^DEBUG: {5}at /m)
  })

  it('ends silently when its reader has closed its output', async () => {
    const { home } = await serve(async function* () {
      yield { kind: 'filesOf', summary: { node: 'w', inSync: false, files: 1, pending: 1, failed: 0, failuresLeftOut: 0 } }
      for (;;) yield { kind: 'file', row: { node: 'w', file: 'x'.repeat(500), state: 'pending' } }
    })
    let err = ''
    const stderr = sink((text) => {
      err += text
    })
    const gone = (): Writable => {
      let writes = 0
      return new Writable({
        write: (_, __, done) => done(writes++ < 3 ? null : Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
      })
    }
    for (const json of [[], ['--json']])
      expect(await runControl(['-f', ...json, '--home', home], { env: {}, stdin: noInput(), stdout: gone(), stderr })).toBe(0)
    expect(err).toBe('')
  })

  it('says when its output cannot be written', async () => {
    const { home } = await serve(master())
    let err = ''
    const stderr = sink((text) => {
      err += text
    })
    const full = new Writable({ write: (_, __, done) => done(Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' })) })
    expect(await runControl(['-l', '--home', home], { env: {}, stdin: noInput(), stdout: full, stderr })).toBe(1)
    expect(err).toBe('ERROR: The output cannot be written: ENOSPC: no space left.\n')
  })

  it('reads the answer no faster than its own reader', async () => {
    let rows = 0
    const { home } = await serve(async function* () {
      for (; rows < 100_000; rows++) yield { kind: 'file', row: { node: 'w', file: 'x'.repeat(1_000), state: 'pending' } }
      yield { kind: 'end' }
    })
    const blocked = deferred<() => void>()
    const stdout = new Writable({
      write: (_, __, done) => blocked.resolve(() => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))),
    })
    const running = runControl(['-f', '--home', home], { env: {}, stdin: noInput(), stdout, stderr: sink(() => {}) })
    const release = await blocked.promise
    // Until nothing moves any more: the daemon's generator does not advance for many turns of the loop.
    for (let still = 0, before = -1; still < 200; ) {
      await new Promise((resolve) => setImmediate(resolve))
      still = rows === before ? still + 1 : 0
      before = rows
    }
    expect(rows).toBeLessThan(5_000)
    release()
    expect(await running).toBe(0)
  })
})
