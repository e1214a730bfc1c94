/** The master asks its workers what they say of themselves: all at once, each within a bounded time. */
import { asClusterError } from '../../base/errors.js'
import type { NodeReport } from '../../domain/cluster/nodeReport.js'
import type { AnswerLine } from '../../domain/queries/answerLine.js'
import type { Link, RequestOptions } from '../../ports/link.js'
import type { Member } from '../cluster/registry.js'
import type { ServingInput } from '../kit/servingThread.js'

/** A peer with it can be asked. */
export const reportsCapability = 'reports'
/** And with this one for all that a report can hold. */
export const wholeReportsCapability = 'wholeReports'

/** @param isWhole with what is left out otherwise */
export type ReportMaker = (isWhole: boolean) => NodeReport

export interface NodeReportsView {
  readonly self: { readonly name: string }
  /** Of this node. */
  readonly report: ReportMaker
  /** What a worker may take. */
  readonly reportMsMax: number
}

type ReportLine = Extract<AnswerLine, { readonly kind: 'nodeReport' }>

export async function* nodeReports(
  { report, reportMsMax, self }: NodeReportsView,
  {
    isWhole,
    isAsked,
    members,
  }: {
    readonly isAsked: (name: string) => boolean
    readonly isWhole: boolean
    readonly members: readonly Pick<Member, 'link' | 'name'>[]
  },
  signal: AbortSignal,
): AsyncGenerator<AnswerLine, void, undefined> {
  const asking = members.map(({ link, name }) => answerOf(name, () => askWorker(link, isWhole, { signal, timeoutMs: reportMsMax })))
  if (isAsked(self.name)) yield await answerOf(self.name, () => report(isWhole))
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
const askWorker = async (link: Link, isWhole: boolean, options: RequestOptions): Promise<NodeReport | undefined> => {
  const { capabilities } = link.peer
  if (!capabilities.includes(reportsCapability)) return undefined
  return link.request('node.report', isWhole && capabilities.includes(wholeReportsCapability) ? { whole: true } : {}, options)
}

/** A worker's end. */
export const nodeReportAnswers = (link: Pick<Link, 'serve'>, report: ReportMaker): ServingInput => ({
  link,
  answers: () => ({
    'node.report': ({ whole: isWhole = false }) => {
      const { api, configuration, lines, listening, mistakes, running, stopped, ...rest } = report(isWhole)
      return {
        ...{ ...rest, running: [...running], stopped: [...stopped], mistakes: [...mistakes] },
        configuration: { ...configuration, nodes: [...configuration.nodes] },
        ...(listening && { listening: listening.map((place) => ({ ...place, transports: [...place.transports] })) }),
        ...(lines && { lines: lines.map((line) => ({ ...line })) }),
        ...(api && { api: { ...api, hosts: [...api.hosts] } }),
      }
    },
  }),
})
