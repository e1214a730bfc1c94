/** The master asks its workers what they say of themselves: all at once, each within a bounded time. */
import { asClusterError } from '../../base/errors.js'
import type { NodeReport } from '../../domain/cluster/nodeReport.js'
import type { AnswerLine } from '../../domain/queries/answerLine.js'
import type { Link } from '../../ports/link.js'
import type { Member } from '../cluster/registry.js'
import type { ServingInput } from '../kit/servingThread.js'

/** A peer with it can be asked. */
export const reportsCapability = 'reports'

export interface NodeReportsView {
  readonly self: { readonly name: string }
  /** Of this node. */
  readonly report: () => NodeReport
  /** What a worker may take. */
  readonly reportMsMax: number
}

type ReportLine = Extract<AnswerLine, { readonly kind: 'nodeReport' }>

export async function* nodeReports(
  { report, reportMsMax, self }: NodeReportsView,
  { isAsked, members }: { readonly isAsked: (name: string) => boolean; readonly members: readonly Pick<Member, 'link' | 'name'>[] },
  signal: AbortSignal,
): AsyncGenerator<AnswerLine, void, undefined> {
  const asking = members.map(({ link, name }) => answerOf(name, () => askWorker(link, reportMsMax, signal)))
  if (isAsked(self.name)) yield await answerOf(self.name, report)
  for (const asked of asking) yield await asked
}

/** A node that does not answer is one of the answers. */
const answerOf = async (node: string, ask: () => NodeReport | undefined | Promise<NodeReport | undefined>): Promise<ReportLine> => {
  try {
    const report = await ask()
    return { kind: 'nodeReport', node, ...(report && { report }) }
  } catch (thrown) {
    const { message, number } = asClusterError(thrown)
    return { kind: 'nodeReport', node, failure: { number, message } }
  }
}

/** Nothing from a worker of an earlier build. */
const askWorker = async (link: Link, timeoutMs: number, signal: AbortSignal): Promise<NodeReport | undefined> =>
  link.peer.capabilities.includes(reportsCapability) ? link.request('node.report', {}, { signal, timeoutMs }) : undefined

/** A worker's end. */
export const nodeReportAnswers = (link: Pick<Link, 'serve'>, report: () => NodeReport): ServingInput => ({
  link,
  answers: () => ({
    'node.report': () => {
      const { api, configuration, mistakes, running, stopped, ...rest } = report()
      return {
        ...{ ...rest, running: [...running], stopped: [...stopped], mistakes: [...mistakes] },
        configuration: { ...configuration, nodes: [...configuration.nodes] },
        ...(api && { api: { ...api, hosts: [...api.hosts] } }),
      }
    },
  }),
})
