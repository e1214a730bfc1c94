#!/usr/bin/env node
/** `npm run demo`: a real cluster on this machine, shown in a minute. `-- --stay` keeps it running for you to try. */
import { fileURLToPath } from 'node:url'
import { acts } from './acts.js'
import { ProcessCluster } from './processCluster.js'
import type { Stage } from './stage.js'

const programs = fileURLToPath(new URL('./cli/', import.meta.resolve('muster')))

const help = `Usage: npm run demo -- [options]

Shows a real cluster on this machine, in a minute.

Options:
  --stay      keep the cluster up to be played with
  -h, --help  show this help
`

/** The defaults would do; with these `-i` shows a keep-alive, and a restored file comes back while you watch. */
const clusterJson = { intervals: { worker: { keep_alive: 1, sync_integrity: 2 } } }

const showMsMax = 58_000
const interruptedExitCode = 130

const print = (line: string): void => void process.stdout.write(`${line}\n`)
const indented = (text: string): string => text.trimEnd().replace(/^/gm, '     ')

const instructions = (cluster: ProcessCluster): string => `
The cluster stays up until Ctrl-C. The homes are in ${cluster.root}.
Try in another terminal:
  node ${cluster.controlProgram} --home ${cluster.home('worker-1')} -i more
  node ${cluster.controlProgram} --home ${cluster.home('master')} -f --json
  echo '<group name="local,"></group>' > ${cluster.home('master')}/etc/rules/mine.xml; ls -l ${cluster.root}/worker-*/etc/rules/mine.xml
  rm ${cluster.home('worker-1')}/etc/client.keys; sleep 1; ls -l ${cluster.home('worker-1')}/etc/client.keys
  tail -f ${cluster.home('worker-1')}/logs/cluster.log
  kill -9 ${cluster.daemon('worker-2').pid}      (worker-2; nobody starts it again: see cluster_control -l)
`

const run = async (cluster: ProcessCluster, stop: AbortController): Promise<void> => {
  const { signal } = stop
  const startMs = performance.now()
  const results: string[] = []
  const stage: Stage = {
    cluster,
    signal,
    say: (text) => print(`   ${text}`),
    proved: (text) => {
      results.push(text)
      print(`   ✓ ${text}`)
    },
    show: (command, output) => print(`\n   ${command}\n${indented(output)}\n`),
  }
  await cluster.prepare()
  print(`Muster: a master and two workers as real daemons, on 127.0.0.1 port ${cluster.port}, in ${cluster.root}`)
  for (const [index, { title, play }] of acts.entries()) {
    print(`\n${index + 1}. ${title}`)
    await play(stage)
    signal.throwIfAborted()
  }
  print(`\nSummary, after ${((performance.now() - startMs) / 1000).toFixed(1)} s:`)
  for (const result of results) print(`  ✓ ${result}`)
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

const explain = (cluster: ProcessCluster, thrown: unknown): void => {
  print(`\n✗ Failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`)
  for (const daemon of cluster.daemons) print(`\n  The last lines of ${daemon.name}'s log:\n${daemon.lastLines()}`)
}

const main = async (stay: boolean): Promise<number> => {
  const cluster = new ProcessCluster({ programs, nodes: ['master', 'worker-1', 'worker-2'], clusterJson, hasAgents: true })
  const stop = new AbortController()
  let interrupted = false
  const interrupt = (): void => {
    if (interrupted) process.exit(interruptedExitCode)
    interrupted = true
    stop.abort()
  }
  const abandon = (): void => cluster.abandon()
  process.on('exit', abandon)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt)
  const overdue = setTimeout(() => stop.abort(new Error(`it took longer than ${showMsMax / 1000} s`)), showMsMax)
  try {
    await run(cluster, stop)
    clearTimeout(overdue)
    if (stay) {
      print(instructions(cluster))
      const alive = setInterval(() => undefined, 60_000)
      await untilAborted(stop.signal)
      clearInterval(alive)
    }
    return 0
  } catch (thrown) {
    if (interrupted) {
      print('\nInterrupted.')
      return interruptedExitCode
    }
    explain(cluster, stop.signal.aborted ? stop.signal.reason : thrown)
    return 1
  } finally {
    clearTimeout(overdue)
    await cluster.close()
    print('All daemons are stopped, and the homes are removed.')
  }
}

/** The exit code. */
const demo = (options: readonly string[]): number | Promise<number> => {
  const unknown = options.find((option) => !['--stay', '-h', '--help'].includes(option))
  if (unknown !== undefined) {
    process.stderr.write(`Wrong arguments: unknown option '${unknown}'.\n`)
    return 1
  }
  if (!options.includes('-h') && !options.includes('--help')) return main(options.includes('--stay'))
  process.stdout.write(help)
  return 0
}

process.exitCode = await demo(process.argv.slice(2))
