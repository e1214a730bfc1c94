/** The lines of an answer of the node, page by page, and no longer than somebody reads them. */
import type { AgentCommand } from '../../../domain/agents/agentCommand.js'
import { requestTimedOut } from '../../../domain/api/problem.js'
import type { AnswerLine } from '../../../domain/queries/answerLine.js'
import type { ClusterQuery } from '../../../domain/queries/clusterQuery.js'
import type { ApiContext } from '../apiContext.js'

type Timed = Pick<ApiContext, 'clock' | 'desk' | 'options'>

/** Fails with `requestTimeout`. */
const within = <T>({ clock }: Timed, msMax: number | undefined, answer: Promise<T>): Promise<T> => {
  if (msMax === undefined) return answer
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => reject(requestTimedOut(msMax / 1_000)), msMax)
    answer.then(resolve, reject).finally(() => clock.clearTimeout(timer))
  })
}

/** @param waits for as long as the node takes, in place of its time-out for each page */
export async function* answerLines(
  api: Timed,
  request: ClusterQuery | AgentCommand,
  waits = false,
): AsyncGenerator<AnswerLine, void, undefined> {
  const { desk, options } = api
  const msMax = waits ? undefined : options.requestMsMax
  const answer = await within(api, msMax, desk.ask(request))
  let isOver = false
  try {
    for (;;) {
      const lines = await within(api, msMax, desk.next(answer))
      isOver = lines === undefined
      if (!lines) return
      yield* lines
    }
  } finally {
    if (!isOver) void desk.cancel(answer).catch(() => undefined)
  }
}

type Kind = AnswerLine['kind']

/** Those of one kind. */
export async function* linesOf<K extends Kind>(
  lines: AsyncIterable<AnswerLine>,
  kind: K,
): AsyncGenerator<Extract<AnswerLine, { readonly kind: K }>, void, undefined> {
  for await (const line of lines) if (isOf(line, kind)) yield line
}

const isOf = <K extends Kind>(line: AnswerLine, kind: K): line is Extract<AnswerLine, { readonly kind: K }> => line.kind === kind
