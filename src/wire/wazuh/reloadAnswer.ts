/** The reload of rules, decoders and lists by wazuh-analysisd (4.13 and newer): what is asked, and what it says. */
import { Type } from 'typebox'
import { ok, type Result } from '../../base/errors.js'
import { visibleLine } from '../../base/escapeText.js'
import { parsedJson } from '../../base/json/parsedJson.js'
import { limits } from '../../base/limits.js'
import { shortened } from '../../base/logText.js'
import { shapeOf } from '../../base/shapeOf.js'

export const reloadRequest = Buffer.from(JSON.stringify({ version: 1, origin: { module: 'cluster' }, command: 'reload-ruleset' }))

const answerShape = shapeOf(
  Type.Object({ error: Type.Number(), message: Type.Optional(Type.String()), data: Type.Optional(Type.Unknown()) }),
  10,
)

export interface ReloadAnswer {
  /** False: the rules before are kept. */
  readonly isLoaded: boolean
  readonly messages: readonly string[]
}

/** Its messages are cut to what a notice has room for. Refuses with `malformed`. */
export const parseReloadAnswer = (answer: Uint8Array): Result<ReloadAnswer> => {
  const parsed = parsedJson(answer, answerShape, 'An answer of wazuh-analysisd', 'is not one to a reload')
  if (!parsed.ok) return parsed
  const { data, error, message } = parsed.value
  const said = Array.isArray(data) ? data.filter((item) => typeof item === 'string') : []
  const isLoaded = error === 0
  const messages = said.length === 0 && !isLoaded ? [message ?? `error ${error}`] : said
  return ok({
    isLoaded,
    messages: messages.slice(0, limits.rulesetMessagesMax).map((text) => shortened(visibleLine(text), limits.rulesetMessageCharsMax - 1)),
  })
}
