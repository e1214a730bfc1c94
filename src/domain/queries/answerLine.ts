/**
 * Checks one line of an answer, as it comes from a daemon or from the master through a worker. Fields that a newer daemon
 * adds are let be.
 */
import { type Static, Type } from 'typebox'
import type { Result } from '../../base/errors.js'
import type { ReadonlyValue } from '../../base/fields.js'
import { parsedJson } from '../../base/json/parsedJson.js'
import { shapeOf } from '../../base/shapeOf.js'
import { agentAnswers } from './agentAnswer.js'
import { clusterAnswers } from './clusterAnswer.js'

const [fileLine, ...otherLines] = clusterAnswers
// Files and agents come by the hundred thousand: they are tried first.
const anyLine = Type.Union([fileLine, ...agentAnswers, ...otherLines])
/** Most answers are a few lines: compiling takes as long as some hundred of them. */
const answerLine = shapeOf(anyLine, 64)

/** An answer is a sequence of these, one JSON text a line, so that no answer has to be held whole. */
export type AnswerLine = ReadonlyValue<Static<typeof anyLine>>

/** The answer line of one JSON text. Refuses with `malformed`. */
export const parseAnswerLine = (json: string): Result<AnswerLine> => parsedJson(json, answerLine, 'A line of the answer')
