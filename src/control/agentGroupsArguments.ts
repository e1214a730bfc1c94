/** The command line of agent_groups: Wazuh's options, which one goes with which, and the sentence for what does not. */
import { Command, Option } from 'commander'
import {
  agentIdOf,
  type CommonArguments,
  type CommonOptions,
  commonArguments,
  type ParsedArguments,
  parsedOptions,
  withCommonOptions,
} from './commandLine.js'

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
  readonly addGroup?: true
  readonly removeGroup?: true
  readonly showGroup?: true
  readonly showSync?: true
  readonly forceSingleGroup?: true
  readonly agentId?: string
  readonly group?: string
  readonly quiet?: true
}

const examples = `  agent_groups -l                   List the groups
  agent_groups -l -g web            List the agents of a group
  agent_groups -l -g web -j         The same as JSON
  agent_groups -c -g web            List the files of a group
  agent_groups -a -g web            Create a group
  agent_groups -a -i 001 -g web     Put an agent into a group too
  agent_groups -a -i 001 -g web -f  Put an agent into this group only
  agent_groups -s -i 001            Show the groups of an agent
  agent_groups -S -i 001            Tell whether an agent has the configuration of its groups
  agent_groups -r -i 001 -g web     Take an agent out of a group
  agent_groups -r -i 001            Take an agent out of all groups: it is in 'default' then
  agent_groups -r -g web -q         Remove a group without a question
`

const program = (): Command =>
  withCommonOptions(
    new Command('agent_groups')
      .description('Shows and changes the groups of the agents, on the master.')
      .addOption(new Option('-l, --list', 'list the groups, or the agents of the group of -g'))
      .addOption(new Option('-c, --list-files', 'list the files of the group of -g'))
      .addOption(new Option('-a, --add-group', 'create the group of -g, or put the agent of -i into it'))
      .addOption(new Option('-f, --force-single-group', 'with -a -i: take the agent out of its other groups'))
      .addOption(new Option('-s, --show-group', 'show the groups of the agent of -i'))
      .addOption(new Option('-S, --show-sync', 'tell whether the agent of -i has the configuration of its groups'))
      .addOption(new Option('-r, --remove-group', 'remove the group of -g, or take the agent of -i out of it'))
      .addOption(new Option('-i, --agent-id <id>', "an agent's ID"))
      .addOption(new Option('-g, --group <group>', "a group's name"))
      .addOption(new Option('-q, --quiet', 'ask no questions')),
    examples,
  )

export const parseAgentGroupsArguments = (argv: readonly string[], env: NodeJS.ProcessEnv): ParsedArguments<AgentGroupsArguments> => {
  const parsed = parsedOptions<Options>(program(), argv)
  if (!('given' in parsed)) return parsed
  const common = commonArguments(parsed.given, env)
  const task = taskOf(parsed.given)
  if (typeof task === 'string') return { mistake: task, json: common.json }
  return { given: { ...common, task, quiet: parsed.given.quiet ?? false } }
}

/** What is to be done, or what is wrong. */
const taskOf = (options: Options): GroupsTask | string => {
  const { addGroup, agentId, forceSingleGroup, group, json, list, listFiles, removeGroup, showGroup, showSync } = options
  const chosen = [list, listFiles, addGroup, showGroup, showSync, removeGroup].filter((one) => one !== undefined)
  if (chosen.length > 1) return 'only one of -l, -c, -a, -s, -S and -r can be given.'
  const id = agentId === undefined ? undefined : agentIdOf(agentId)
  if (agentId !== undefined && id === undefined) return `'${agentId}' is not an ID of an agent: -i takes a number.`
  if (forceSingleGroup && !(addGroup && id !== undefined)) return '-f goes with -a -i only.'
  if (json && (addGroup || removeGroup)) return '-j goes with -l, -c, -s and -S only.'
  if (addGroup || removeGroup) return changeOf(options, id)
  if (showGroup || showSync) {
    if (id === undefined || group !== undefined) return '-s and -S take an agent (-i ID) and nothing else.'
    return { kind: showGroup ? 'showGroups' : 'showSync', id }
  }
  if (id !== undefined) return '-i goes with -a, -r, -s and -S only.'
  if (listFiles) return group === undefined ? '-c takes a group (-g GROUP).' : { kind: 'listFiles', group }
  if (!list && group !== undefined) return '-g goes with -l, -c, -a and -r only.'
  return group === undefined ? { kind: 'listGroups' } : { kind: 'listAgents', group }
}

const changeOf = ({ addGroup, forceSingleGroup, group }: Options, id: number | undefined): GroupsTask | string => {
  if (addGroup) {
    if (group === undefined) return '-a takes a group (-g GROUP), and an agent (-i ID) to put into it.'
    return id === undefined ? { kind: 'create', group } : { kind: 'assign', id, group, isSingle: forceSingleGroup ?? false }
  }
  if (id !== undefined) return { kind: 'unassign', id, ...(group !== undefined && { group }) }
  return group === undefined ? '-r takes a group (-g GROUP), an agent (-i ID), or both.' : { kind: 'remove', group }
}
