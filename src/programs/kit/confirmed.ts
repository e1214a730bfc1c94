/** Reads the answer to a question from the terminal, or from whatever stands in its place. */
import type { Readable } from 'node:stream'

const answerCharsMax = 1_000

/** Whether the next line is a yes; the end of the input is a no. Nothing more can be read from `stdin` afterwards. */
export const confirmed = async (stdin: Readable): Promise<boolean> => {
  let text = ''
  for await (const chunk of stdin) {
    text += String(chunk)
    if (text.includes('\n') || text.length > answerCharsMax) break
  }
  return /^\s*y(es)?\s*$/i.test(text.split('\n', 1)[0] ?? '')
}
