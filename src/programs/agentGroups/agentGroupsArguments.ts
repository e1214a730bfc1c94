/** The command line of agent_groups: Wazuh's options, which one goes with which, and the sentence for what does not. */
import { Command, Option } from 'commander'
import { limits } from '../../base/limits.js'
import {
  agentIdOf,
  type CommonArguments,
  type CommonOptions,
  commonArguments,
  type ParsedArguments,
  parsedOptions,
  spelledOut,
  withCommonOptions,
} from '../kit/commandLine.js'

export type GroupsTask =
  | { readonly kind: 'listGroups' }
  | { readonly kind: 'listAgents'; readonly group: string }
  | { readonly kind: 'listFiles'; readonly group: string }
  | { readonly kind: 'showGroups'; readonly id: number }
  | { readonly kind: 'showSync'; readonly id: number }
  | { readonly kind: 'create'; readonly group: string }
  | { readonly kind: 'remove'; readonly group: string }
  /** `isSingle`: it takes the place of all groups that the agent has. */
  | { readonly kind: 'assign'; readonly id: number; readonly group: string; readonly isSingle: boolean }
  /** Without a group: of all of them. */
  | { readonly kind: 'unassign'; readonly id: number; readonly group?: string }

export interface AgentGroupsArguments extends CommonArguments {
  readonly task: GroupsTask
  /** No questions. */
  readonly quiet: boolean
}

interface Options extends CommonOptions {
  readonly list?: true
  readonly listFiles?: true
  readonly add?: true
  readonly remove?: true
  readonly showGroup?: true
  readonly showSync?: true
  readonly force?: true
  readonly agentId?: string
  readonly groupId?: string
  readonly quiet?: true
  readonly usage?: true
}

const examples = `  agent_groups -l                   List the groups
  agent_groups -l -g web            List the agents of a group
  agent_groups -l -g web -j         The same as JSON
  agent_groups -c -g web            List the files of a group
  agent_groups -a -g web            Create a group
  agent_groups -a -i 001 -g web     Put an agent into a group too
  agent_groups -a -i 001 -g web -f  Put an agent into this group only
  agent_groups -s -i 001            Show the groups of an agent
  agent_groups -S -i 001            Show whether an agent has the configuration of its groups
  agent_groups -r -i 001 -g web     Take an agent out of a group
  agent_groups -r -i 001            Take an agent out of all groups: it is in 'default' then
  agent_groups -r -g web -q         Remove a group without a question
`

export const agentGroupsCommandLine = (): Command =>
  withCommonOptions(
    new Command('agent_groups')
      .description('Shows and changes the groups of the agents, from any node.')
      .addOption(new Option('-l, --list', 'list the groups, or the agents in the group given with -g'))
      .addOption(new Option('-c, --list-files', 'list the files of the group given with -g'))
      .addOption(new Option('-a, --add', 'create the group given with -g, or add the agent given with -i to it'))
      .addOption(new Option('-f, --force', 'with -a -i: remove the agent from its other groups'))
      .addOption(new Option('-s, --show-group', 'show the groups of the agent given with -i'))
      .addOption(new Option('-S, --show-sync', 'show whether the agent given with -i has the current configuration of its groups'))
      .addOption(new Option('-r, --remove', 'remove the group given with -g, or remove the agent given with -i from it'))
      .addOption(new Option('-i, --agent-id <id>', "an agent's ID"))
      .addOption(
        new Option('-g, --group-id <group>', `a group's name: 1 to ${limits.groupNameCharsMax} of a-z, A-Z, 0-9, '.', '_' and '-'`),
      )
      .addOption(new Option('-q, --quiet', 'ask no questions'))
      .addOption(new Option('-u, --usage', 'show the usage')),
    examples,
  )

export const parseAgentGroupsArguments = (argv: readonly string[], env: NodeJS.ProcessEnv): ParsedArguments<AgentGroupsArguments> => {
  const command = agentGroupsCommandLine()
  const parsed = parsedOptions<Options>(command, spelledOut(command, argv))
  if (!('given' in parsed)) return parsed
  const common = commonArguments(parsed.given, env)
  const task = taskOf(parsed.given)
  if (typeof task === 'string') return { mistake: task, json: common.json }
  if (task === undefined) return { shown: usageText }
  return { given: { ...common, task, quiet: parsed.given.quiet ?? false } }
}

/** What is to be done, or what is wrong; undefined for the usage. */
const taskOf = (options: Options): GroupsTask | string | undefined => {
  const { add, agentId, force, groupId: group, json, list, listFiles, quiet, remove, showGroup, showSync, usage } = options
  const chosen = [list, listFiles, add, showGroup, showSync, remove, usage].filter((one) => one !== undefined)
  if (chosen.length > 1) return 'only one of -l, -c, -a, -s, -S, -r and -u can be given.'
  const id = agentId === undefined ? undefined : agentIdOf(agentId)
  if (agentId !== undefined && id === undefined) return `'${agentId}' is not an ID of an agent: -i takes a number.`
  if (usage) return group === undefined && id === undefined && !force && !quiet && !json ? undefined : '-u goes with nothing else.'
  if (force && !(add && id !== undefined)) return '-f goes with -a -i only.'
  if (json && (add || remove)) return '-j goes with -l, -c, -s and -S only.'
  if (add || remove) return changeOf(options, id)
  if (showGroup || showSync) {
    if (id === undefined || group !== undefined) return '-s and -S take an agent (-i ID) and nothing else.'
    return { kind: showGroup ? 'showGroups' : 'showSync', id }
  }
  if (id !== undefined) return '-i goes with -a, -r, -s and -S only.'
  if (listFiles) return group === undefined ? '-c takes a group (-g GROUP).' : { kind: 'listFiles', group }
  if (!list && group !== undefined) return '-g goes with -l, -c, -a and -r only.'
  return group === undefined ? { kind: 'listGroups' } : { kind: 'listAgents', group }
}

const changeOf = ({ add, force, groupId: group }: Options, id: number | undefined): GroupsTask | string => {
  if (add) {
    if (group === undefined) return '-a takes a group (-g GROUP), and an agent (-i ID) to add to it.'
    return id === undefined ? { kind: 'create', group } : { kind: 'assign', id, group, isSingle: force ?? false }
  }
  if (id !== undefined) return { kind: 'unassign', id, ...(group !== undefined && { group }) }
  return group === undefined ? '-r takes a group (-g GROUP), an agent (-i ID), or both.' : { kind: 'remove', group }
}

const usageText = `Usage: agent_groups [-h] [-d] [-j] [-V] [--home DIR] [-l [-g GROUP] | -c -g GROUP | -a [-i ID] -g GROUP [-f] [-q] | -s -i ID | -S -i ID | -r [-i ID] [-g GROUP] [-q] | -u]
${examples}`
