/** `cluster_control --drain`, `--ready` and `--remove`: a question, and the sentence for what was done. */
import { escapeText, safeJson } from '../../base/escapeText.js'
import { type NodeState, stateText } from '../../domain/cluster/nodeState.js'
import type { AnswerLine } from '../../domain/queries/answerLine.js'
import { onlyLine } from '../kit/answers.js'
import type { Conversation } from '../kit/controlProgram.js'

export interface NodeChange {
  readonly node: string
  readonly state: NodeState
}

type Outcome = Extract<AnswerLine, { readonly kind: 'nodeState' }>

const quoted = (node: string): string => `'${escapeText(node)}'`

const questions: Readonly<Record<NodeState, (node: string, outcome: Outcome) => string>> = {
  ready: (node) => `Do you want to make the node ${node} ready?`,
  drained: (node, { othersReady }) =>
    `${othersReady === 0 ? 'No other node is ready: its agents would have nowhere to go. ' : ''}Do you want to drain the node ${node}?`,
  removed: (node) => `Do you want to remove the node ${node} from the cluster?`,
}

/** What is not so yet. */
const remarks: Readonly<Record<Outcome['reach'], string>> = {
  reached: '',
  notConnected: ' It is not connected: it learns this when it is.',
  notAble: ' Its version of Muster lets its agents stay.',
}

const done = ({ isChanged, node, reach, state }: Outcome): string => {
  const already = isChanged ? '' : ' already'
  // Of a removed node nothing is left to be done.
  const remark = state === 'removed' ? '' : remarks[reach]
  return `Node ${quoted(node)} ${stateText[state]}${already}.${remark}\n`
}

const doneJson = ({ isChanged, node, reach, state }: Outcome): string =>
  `${safeJson({ node, state, changed: isChanged, connected: reach !== 'notConnected', able: reach !== 'notAble' })}\n`

/** Resolves with the exit code. */
export const changeState = async (
  { node, state }: NodeChange,
  { json, quiet }: { readonly json: boolean; readonly quiet: boolean },
  { ask, confirm, print }: Conversation,
): Promise<number> => {
  const said = (isTrial: boolean): Promise<Outcome> => onlyLine(ask({ kind: 'setNodeState', node, state, isTrial }), 'nodeState')
  if (!quiet) {
    const trial = await said(true)
    if (trial.isChanged && !(await confirm(questions[state](quoted(node), trial)))) {
      await print(['Cancelled.\n'])
      return 1
    }
  }
  const outcome = await said(false)
  await print([json ? doneJson(outcome) : done(outcome)])
  return 0
}
