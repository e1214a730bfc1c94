/** What a worker says of its last reload of rules, as a master keeps and shows it: a worker may lie, and it is one line of an answer. */
import { visibleLine } from '../../base/escapeText.js'
import { limits } from '../../base/limits.js'
import { shortened } from '../../base/logText.js'
import type { RulesetReport } from '../cluster/workerState.js'

/** With as many of its messages as there is room for. */
export const shownReport = ({ atMs, isLoaded, messages }: RulesetReport): RulesetReport => {
  const shown: string[] = []
  let chars = 0
  for (const message of messages) {
    const line = shortened(visibleLine(message), limits.rulesetMessageCharsMax)
    chars += line.length
    if (chars > limits.rulesetShownCharsMax) break
    shown.push(line)
  }
  return { atMs, isLoaded, messages: shown }
}
