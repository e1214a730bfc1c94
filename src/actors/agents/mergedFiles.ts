/**
 * Merged files: keeps merged.mg of every group, and of every list of groups that some agent has, in line with the groups'
 * files. Once, on the master; the workers get them as they get every synced file.
 */
import { assign, fromCallback, fromPromise, setup } from 'xstate'
import { ClusterError } from '../../base/errors.js'
import { fullStop } from '../../base/fullStop.js'
import type { MergedOutcome } from '../../ports/agents.js'
import type { Clock, Log } from '../../ports/machine.js'
import type { LocalTree } from '../files/localTree.js'
import { type End, machineOptions } from '../kit/host.js'
import { crashIn, errorOf } from '../kit/thrownError.js'
import { MissingGroups } from './missingGroups.js'
import type { LocalAgents } from './nodeAgents.js'

export interface MergedFilesOptions {
  readonly agents: LocalAgents
  readonly tree: LocalTree
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly intervalMs: number
  readonly log: Log
}

/** Changes that come together within this time cost one look. */
const gatherMs = 50

interface Building {
  readonly wanted: boolean
  /** Problems of the build before: the same ones are not told again. */
  readonly told: ReadonlySet<string>
  readonly crash: ClusterError | undefined
}

export const mergedFiles = ({ agents, clock, intervalMs, log, tree }: MergedFilesOptions) => {
  const missing = new MissingGroups({ agents, clock, intervalMs, log })
  return setup({
    types: { context: {} as Building, events: {} as { type: 'inputs.changed' }, output: {} as End },
    actors: {
      changes: fromCallback(({ sendBack }) => {
        const tell = (): void => sendBack({ type: 'inputs.changed' })
        const stopTree = tree.onContent(tell)
        const stopGroups = agents.groups.changes.add(tell)
        return () => {
          stopTree()
          stopGroups()
        }
      }),
      build: fromPromise<MergedOutcome>(async ({ signal }) => {
        await agents.ready(signal)
        const made = await missing.look(signal)
        const built = await agents.files.buildMerged(await agents.store.multigroups(), signal)
        const touched = [...made, ...built.written, ...built.removed]
        if (touched.length > 0) tree.hint(touched)
        return built
      }),
    },
    guards: { isWanted: ({ context }) => context.wanted, isCrash: ({ context }) => context.crash !== undefined },
    actions: {
      startBuild: assign({ wanted: false }),
      noteWanted: assign({ wanted: true }),
      logBuilt: ({ context }, { problems, removed, written }: MergedOutcome) => {
        for (const problem of problems) if (!context.told.has(problem)) log.warning(problem)
        for (const path of written) log.info(`Built '${path}'.`)
        for (const path of removed) log.info(`Removed '${path}': no agent has these groups.`)
      },
      noteTold: assign({ told: (_, { problems }: MergedOutcome) => new Set(problems) }),
      logFailure: ({ event }) => log.error(`The merged files could not be built: ${fullStop(errorOf(event).message)} Retrying.`),
      noteFailure: assign({ wanted: false, crash: ({ event }) => crashIn(event) }),
    },
    delays: { interval: intervalMs, gathering: gatherMs },
  }).createMachine({
    id: 'mergedFiles',
    options: machineOptions,
    context: { wanted: false, told: new Set(), crash: undefined },
    invoke: { src: 'changes' },
    on: { 'inputs.changed': { actions: 'noteWanted' } },
    initial: 'building',
    states: {
      building: {
        entry: 'startBuild',
        invoke: {
          src: 'build',
          onDone: {
            target: 'resting',
            actions: [
              { type: 'logBuilt', params: ({ event }) => event.output },
              { type: 'noteTold', params: ({ event }) => event.output },
            ],
          },
          onError: { target: 'troubled', actions: ['logFailure', 'noteFailure'] },
        },
      },
      troubled: { always: [{ guard: 'isCrash', target: 'crashed' }, { target: 'resting' }] },
      resting: {
        always: { guard: 'isWanted', target: 'gathering' },
        after: { interval: 'building' },
      },
      gathering: { after: { gathering: 'building' } },
      crashed: { type: 'final' },
    },
    output: ({ context }): End => ({ kind: 'crashed', error: context.crash ?? new ClusterError('threadCrashed') }),
  })
}
