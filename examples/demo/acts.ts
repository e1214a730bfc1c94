/** What the demo shows, in order: files arrive, the master wins, and operators see it. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { agentsMove } from './agentsMove.js'
import { killedInTheMiddle } from './killedInTheMiddle.js'
import { managerFiles } from './managerFiles.js'
import { writeBelow } from './nodeHome.js'
import type { ProcessCluster } from './processCluster.js'
import { type Act, inMs, type Stage } from './stage.js'
import { waitFor } from './waitFor.js'

const textIn = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '')

const filesArrive: Act = {
  title: 'Three daemons start; only the master has files',
  play: async (stage) => {
    const { cluster, say, proved, signal } = stage
    const files = managerFiles()
    const master = cluster.home('master')
    for (const { path, content } of files) writeBelow(master, path, content)
    writeBelow(master, 'etc/shared/ar.conf', 'restart-wazuh0 - restart-wazuh - 0\n')
    say(`${files.length} files on the master: rules, decoders, CDB lists, SCA policies, group files, client.keys`)
    const startMs = performance.now()
    await cluster.startAll()
    say(`the master listens and both workers are connected ${inMs(performance.now() - startMs)} after the start`)
    await cluster.allTheSame(signal)
    proved(
      `all ${files.length} files on both workers, byte for byte and with their modes: ${inMs(performance.now() - startMs)} after the start`,
    )
    if (existsSync(join(cluster.home('worker-1'), 'etc/shared/ar.conf'))) throw new Error('ar.conf was synced though its name is excluded')
    proved('ar.conf stayed on the master: its name is excluded')
  },
}

const masterEdit: Act = {
  title: 'An edit on the master arrives',
  play: async ({ cluster, say, proved, signal }) => {
    const path = 'etc/rules/sshd_authentication_rules.xml'
    const edited = textIn(join(cluster.home('master'), path)).replace('level="10"', 'level="12"')
    say(`${path} on the master: level 10 becomes 12`)
    writeFileSync(join(cluster.home('master'), path), edited)
    const tookMs = await waitFor(
      'The edit on both workers',
      () => cluster.workers.every((name) => textIn(join(cluster.home(name), path)) === edited),
      { signal },
    )
    proved(`an edit on the master was on both workers after ${inMs(tookMs)}`)
  },
}

const workerEdit: Act = {
  title: 'What is done on a worker is undone: the master decides',
  play: async (stage) => {
    const { cluster, say, proved, signal } = stage
    const path = 'etc/decoders/nginx_decoders.xml'
    const wanted = textIn(join(cluster.home('master'), path))
    const edited = join(cluster.home('worker-1'), path)
    say(`${path} is edited on worker-1`)
    writeFileSync(edited, '<!-- somebody was here -->\n')
    const undoneMs = await waitFor('The edit on worker-1 undone', () => textIn(edited) === wanted, { signal })
    proved(`an edit on a worker was undone after ${inMs(undoneMs)}`)

    const extra = join(cluster.home('worker-2'), 'etc/rules/only_here.xml')
    const backup = join(cluster.home('worker-2'), 'etc/rules/nginx_policy_rules.xml~')
    say('worker-2 gets a rule file that the master does not have, and an editor’s backup (name~)')
    writeFileSync(backup, 'mine\n')
    writeFileSync(extra, '<group name="local,"></group>\n')
    const removedMs = await waitFor('The extra file removed from worker-2', () => !existsSync(extra), { signal })
    proved(`an extra file on a worker was removed after ${inMs(removedMs)}`)
    await cluster.allTheSame(signal)
    if (!existsSync(backup)) throw new Error('a file with an excluded name was touched')
    proved('the backup stayed: excluded names are never touched')
  },
}

const answerOf = async (cluster: ProcessCluster, name: string, flags: readonly string[]): Promise<string> => {
  const { code, err, out } = await cluster.control(name, flags)
  if (code !== 0) throw new Error(`cluster_control ${flags.join(' ')} on ${name} ended with ${code}: ${err.trim()}`)
  return out
}

const operatorsView: Act = {
  title: 'What an operator sees',
  play: async ({ cluster, show }) => {
    show('worker-2$ cluster_control -l', await answerOf(cluster, 'worker-2', ['-l']))
    show('master$ cluster_control -i', await answerOf(cluster, 'master', ['-i']))
  },
}

/** Asks cluster_control on the master about worker-1's files until its answer is as wanted. */
const filesOfWorker = async ({ cluster, signal }: Stage, wanted: (answer: string) => boolean): Promise<string> => {
  const endMs = performance.now() + 20_000
  for (;;) {
    const answer = await answerOf(cluster, 'master', ['-f', '-fn', 'worker-1'])
    if (wanted(answer)) return answer
    signal.throwIfAborted()
    if (performance.now() > endMs) throw new Error(`cluster_control -f did not show what it should, but:\n${answer}`)
  }
}

const outOfSync: Act = {
  title: 'The reason why a file cannot be synced is shown',
  play: async (stage) => {
    const { cluster, say, proved, show, signal } = stage
    const path = 'etc/rules/apache_policy_rules.xml'
    const blocked = join(cluster.home('worker-1'), path)
    say(`on worker-1 a directory takes the place of ${path}, with a backup in it that must not be touched`)
    rmSync(blocked)
    mkdirSync(blocked)
    writeFileSync(join(blocked, 'notes.tmp'), 'mine\n')
    show('master$ cluster_control -f -fn worker-1', await filesOfWorker(stage, (answer) => answer.includes('failed')))
    say('the directory is removed')
    rmSync(blocked, { recursive: true })
    const startMs = performance.now()
    await cluster.allTheSame(signal)
    const answer = await filesOfWorker(stage, (text) => text.includes('are in sync'))
    proved(`the file was back ${inMs(performance.now() - startMs)} after it could be, without a restart`)
    show('master$ cluster_control -f -fn worker-1', answer)
  },
}

export const acts: readonly Act[] = [filesArrive, masterEdit, workerEdit, killedInTheMiddle, operatorsView, outOfSync, agentsMove]
