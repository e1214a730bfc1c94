/**
 * `cluster_control --check`: one line as Nagios reads it, and its exit codes 0 (OK), 1 (WARNING) and 2 (CRITICAL). A daemon that does not answer is
 * critical: nothing is known of the node then.
 */
import { asClusterError } from '../../base/errors.js'
import { escapeText, safeJson } from '../../base/escapeText.js'
import { type Finding, severities, worstFirst, worstOf } from '../../domain/cluster/monitoring/nodeHealth.js'
import type { AnswerLine } from '../../domain/queries/answerLine.js'
import type { CheckedNode } from '../../domain/queries/clusterAnswer.js'
import type { Conversation } from '../kit/controlProgram.js'

interface FoundAt extends Finding {
  readonly node: string
}

interface Checks {
  readonly findings: readonly FoundAt[]
  readonly counts: Readonly<Record<string, number>>
}

export const printCheck = async (answer: AsyncIterable<AnswerLine>, json: boolean, print: Conversation['print']): Promise<number> => {
  const { counts, findings } = checksOf(await checkedNodes(answer))
  const severity = worstOf(findings)
  const status = severity.toUpperCase()
  const exitCode = severities.indexOf(severity)
  const says = sentenceOf(findings)
  await print([
    json
      ? `${safeJson({ status, exit_code: exitCode, says, findings, counts }, 2)}\n`
      : `MUSTER ${status} - ${says}${performance(counts)}\n`,
  ])
  return exitCode
}

/** A daemon that does not answer, and an answer that breaks off, are findings themselves. */
const checkedNodes = async (answer: AsyncIterable<AnswerLine>): Promise<readonly CheckedNode[]> => {
  const nodes: CheckedNode[] = []
  try {
    for await (const line of answer) if (line.kind === 'checked') nodes.push(line.checked)
  } catch (thrown) {
    const { code, message } = asClusterError(thrown)
    const says = code === 'notRunning' ? 'wazuh-clusterd does not run on this node' : message
    nodes.push({ node: '', findings: [{ check: 'daemon', severity: 'critical', says }], counts: {} })
  }
  return nodes
}

/** Of a worker and then of its master: what both count, the master counts for all. */
const checksOf = (nodes: readonly CheckedNode[]): Checks => ({
  findings: nodes.flatMap(({ findings, node }) => findings.map((finding) => ({ node, ...finding }))),
  counts: Object.assign({}, ...nodes.map(({ counts }) => counts)),
})

/** What is wrong, the worst first, or else all that was found. One line, in which `|` begins the numbers. */
const sentenceOf = (findings: readonly FoundAt[]): string => {
  const wrong = worstFirst(findings).filter(({ severity }) => severity !== 'ok')
  const said = (wrong.length > 0 ? wrong : findings).map(({ says, node }) => (node === '' ? says : `${node}: ${says}`))
  return escapeText(said.join('; ')).replaceAll('|', '/')
}

const performance = (counts: Checks['counts']): string => {
  const numbers = Object.entries(counts).map(([label, value]) => `${label}=${value}`)
  return numbers.length === 0 ? '' : ` | ${numbers.join(' ')}`
}
