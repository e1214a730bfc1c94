/** agent_control: agents shown, enrolled and removed on the master. */
import { randomBytes } from 'node:crypto'
import { escapeText } from '../../base/escapeText.js'
import { agentIdText } from '../../domain/agents/agent.js'
import type { AgentQuery } from '../../domain/agents/agentQuery.js'
import { onlyLine } from '../kit/answers.js'
import { type ControlProgram, type Conversation, type ProgramOptions, runProgram } from '../kit/controlProgram.js'
import { type AgentControlArguments, type AgentTask, parseAgentControlArguments } from './agentControlArguments.js'
import { agentInfoCsv, agentInfoJson, agentInfoText, printAgentList, printAgentListCsv, printAgentListJson } from './printAgentControl.js'
import { type Reconnected, reconnectedJson, reconnectedText } from './printReconnected.js'

const tool = 'agent_control'

/** Half the characters of a key. */
const keyBytes = 32

type TaskOf<K extends AgentTask['kind']> = Extract<AgentTask, { readonly kind: K }>

const listQuery = ({ only }: TaskOf<'list'>): AgentQuery => ({ kind: 'agents', ...(only && { statuses: [only] }), tool })

const remove = async (id: number, quiet: boolean, { ask, confirm, print }: Conversation): Promise<number> => {
  // The agent is looked up before the question, so that an unknown ID is reported at once.
  const { agent } = await onlyLine(ask({ kind: 'agent', id, tool }), 'agent')
  const named = `'${agentIdText(id)}' (${escapeText(agent.name)})`
  const isWanted = quiet || (await confirm(`Do you want to remove the agent ${named}?`))
  if (isWanted) await onlyLine(ask({ kind: 'removeAgent', id, tool }), 'done')
  await print([isWanted ? `Agent ${named} removed.\n` : 'Cancelled.\n'])
  return isWanted ? 0 : 1
}

const reconnect = async ({ ids, nodes }: TaskOf<'reconnect'>, json: boolean, { ask, print }: Conversation): Promise<number> => {
  const outcomes: Reconnected[] = []
  for await (const line of ask({ kind: 'reconnectAgents', ...(ids && { ids }), ...(nodes && { nodes }), tool }))
    if (line.kind === 'reconnected') outcomes.push(line)
  await print([(json ? reconnectedJson : reconnectedText)(outcomes)])
  return outcomes.some(({ error }) => error !== undefined) ? 1 : 0
}

const agentControl: ControlProgram<AgentControlArguments> = {
  parse: parseAgentControlArguments,
  carryOut: async ({ csv, json, quiet, task }, conversation) => {
    const { ask, print } = conversation
    switch (task.kind) {
      case 'list':
        await print((json ? printAgentListJson : csv ? printAgentListCsv : printAgentList)(ask(listQuery(task))))
        return 0
      case 'info': {
        const { agent } = await onlyLine(ask({ kind: 'agent', id: task.id, tool }), 'agent')
        await print([(json ? agentInfoJson : csv ? agentInfoCsv : agentInfoText)(agent)])
        return 0
      }
      case 'add': {
        const key = randomBytes(keyBytes).toString('hex')
        const { entry } = await onlyLine(ask({ kind: 'addAgent', name: task.name, ip: task.ip, key, groups: [], tool }), 'added')
        await print([`${[agentIdText(entry.id), entry.name, entry.ip, entry.key].map(escapeText).join(' ')}\n`])
        return 0
      }
      case 'remove':
        return remove(task.id, quiet, conversation)
      case 'reconnect':
        return reconnect(task, json, conversation)
    }
  },
}

/** Runs one command line (without the program's name); resolves with the exit code and never rejects. */
export const runAgentControl = (argv: readonly string[], world: ProgramOptions): Promise<number> => runProgram(agentControl, argv, world)
