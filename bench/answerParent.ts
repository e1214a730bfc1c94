/** A child's end of its calls (see child.ts): answers until the parent is gone. */
import type { Answer, Calls, Question } from './child.js'

const isQuestion = (message: unknown): message is Question =>
  typeof message === 'object' && message !== null && 'id' in message && 'name' in message

export const answerParent = (calls: Calls): void => {
  const answer = async ({ id, name, argument }: Question): Promise<Answer> => {
    try {
      const call = calls[name]
      if (!call) throw new Error(`There is no call '${name}'`)
      return { id, value: await call(argument as never) }
    } catch (thrown) {
      return { id, error: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown) }
    }
  }
  process.on('message', (message) => {
    if (!isQuestion(message)) return
    void answer(message).then((answered) => {
      if (process.connected) process.send?.(answered)
    })
  })
  process.on('disconnect', () => process.exit(0))
  // Ctrl-C goes to the whole group; the parent decides when its children end.
  process.on('SIGINT', () => {})
}
